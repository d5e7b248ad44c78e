"""The monitors' page: what changed since the champion was made, how people do, and what to do about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action, may
from labeling.http.refused import refusals_beside, refusals_said
from labeling.learning.job_lines import lines
from labeling.learning.selectors import champion
from labeling.monitors import services
from labeling.monitors.forms import ThresholdsForm
from labeling.monitors.models import MonitorAlert
from labeling.monitors.selectors import monitors_page
from labeling.people.signed_in import signed_in


@open_to(get=Action.OVERRULE)
def monitors(request: HttpRequest, project: Project) -> HttpResponse:
    """The page, or with ``?fragment=state`` the part that changes by itself."""
    if request.GET.get("fragment") == "state":
        return render(request, "monitors/_monitors.html", _context(request, project))
    return _page(request, project)


def _page(
    request: HttpRequest, project: Project, *, form: ThresholdsForm | None = None, status: int = 200
) -> HttpResponse:
    thresholds = services.thresholds_of(project)
    more = {
        "set_by": thresholds if thresholds.pk else None,
        "form": form or ThresholdsForm(in_force=thresholds),
    }
    return render(request, "monitors/monitors.html", _context(request, project) | more, status=status)


def _context(request: HttpRequest, project: Project) -> dict[str, Any]:
    seen = monitors_page(project)
    return project_context(
        request,
        project,
        "monitors",
        may_set=may(request.user, project, Action.ADMIN),
        seen=seen,
        live=lines([seen.live]) if seen.live else [],
        model=champion(project),
    )


@open_to(post=Action.ADMIN)
def look(request: HttpRequest, project: Project) -> HttpResponse:
    services.request_monitoring(project=project, by=signed_in(request))
    messages.success(request, _("The monitors are looking. This page shows what they find."))
    return redirect("monitors", slug=project.slug)


@open_to(post=Action.ADMIN)
def thresholds(request: HttpRequest, project: Project) -> HttpResponse:
    """Append other thresholds."""
    form = ThresholdsForm(request.POST, in_force=services.thresholds_of(project))
    if form.is_valid():
        with refusals_beside(form):
            services.set_thresholds(
                project=project, by=signed_in(request), reason=form.cleaned_data["reason"], **form.changes()
            )
            messages.success(request, _("The thresholds are applied."))
            return redirect("monitors", slug=project.slug)
    messages.error(request, _("Nothing was changed: see the marked fields."))
    return _page(request, project, form=form, status=422)


@open_to(post=Action.ADMIN)
def acknowledge(request: HttpRequest, project: Project, alert_id: int) -> HttpResponse:
    alert = MonitorAlert.objects.filter(project=project, pk=alert_id).first()
    if alert is None:
        raise Http404(_("There is no such alert."))
    with refusals_said(request):
        services.acknowledge(alert=alert, by=signed_in(request), note=request.POST.get("note", ""))
        messages.success(request, _("Acknowledged. The alert closes by itself when a reading is fine again."))
    return redirect("monitors", slug=project.slug)
