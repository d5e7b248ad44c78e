"""The monitors' page: what changed since the champion was made, how people do, and what to do about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may, project_for, role_in
from labeling.frontier.changes import THRESHOLDS, labels
from labeling.frontier.limits import limits
from labeling.learning.job_lines import lines
from labeling.learning.selectors import champion
from labeling.monitors import services
from labeling.monitors.models import MonitorAlert, MonitorThresholds
from labeling.monitors.selectors import overview
from labeling.refusals import Refused
from labeling.typed_numbers import real, whole

#: field -> what the form's number is divided by.
_FORM = {"drift_level": 100, "window": 1, "calibration": 100, "agreement": 100, "speed": 1, "queue_days": 1}


@login_required
@require_GET
def monitors(request: HttpRequest, slug: str) -> HttpResponse:
    """The page, or with ``?fragment=state`` the part that changes by itself."""
    project = project_for(request.user, slug, Action.OVERRULE)
    if request.GET.get("fragment") == "state":
        return render(request, "monitors/_monitors.html", _context(request, project))
    return _page(request, project)


def _page(request: HttpRequest, project: Project, *, status: int = 200, **more: Any) -> HttpResponse:
    thresholds = services.thresholds_of(project)
    given = {name: f"{getattr(thresholds, name) * scale:g}" for name, scale in _FORM.items()}
    context = _context(request, project) | {
        "labels": labels(THRESHOLDS),
        "given": given | {"reason": ""},
        "set_by": thresholds if thresholds.pk else None,
        "errors": {},
    }
    return render(request, "monitors/monitors.html", context | more, status=status)


def _context(request: HttpRequest, project: Project) -> dict[str, Any]:
    seen = overview(project)
    return {
        "project": project,
        "role": role_in(request.user, project),
        "page": "frontier",
        "may_set": may(request.user, project, Action.ADMIN),
        "seen": seen,
        "live": lines([seen.live]) if seen.live else [],
        "model": champion(project),
    }


@login_required
@require_POST
def look(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    user: Any = request.user
    services.request_monitoring(project=project, by=user)
    messages.success(request, _("The monitors are looking. This page shows what they find."))
    return redirect("monitors", slug=slug)


@login_required
@require_POST
def thresholds(request: HttpRequest, slug: str) -> HttpResponse:
    """Percentages in, shares kept."""
    project = project_for(request.user, slug, Action.ADMIN)
    user: Any = request.user
    given = {name: request.POST.get(name, "").strip() for name in (*_FORM, "reason")}
    errors: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for name, scale in _FORM.items():
        if name == "window":
            changes[name] = whole(given[name])
            if changes[name] is None:
                errors[name] = _("A whole number.")
        elif (number := real(given[name])) is None:
            errors[name] = _("A number.")
        else:
            changes[name] = round(number / scale, 8)
    if not errors:
        try:
            services.set_thresholds(project=project, by=user, reason=given["reason"], **changes)
        except Refused as refusal:
            fields = refusal.fields or {"drift_level": refusal.message}
            errors = {
                name: limits(MonitorThresholds, name, scale=_FORM[name]) if name in _FORM else said
                for name, said in fields.items()
            }
    if errors:
        messages.error(request, _("Nothing was changed: see the marked fields."))
        return _page(request, project, status=422, given=given, errors=errors)
    messages.success(request, _("The thresholds are applied."))
    return redirect("monitors", slug=slug)


@login_required
@require_POST
def acknowledge(request: HttpRequest, slug: str, alert_id: int) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    alert = MonitorAlert.objects.filter(project=project, pk=alert_id).first()
    if alert is None:
        raise Http404(_("There is no such alert."))
    user: Any = request.user
    try:
        services.acknowledge(alert=alert, by=user, note=request.POST.get("note", ""))
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Acknowledged. The alert closes by itself when a reading is fine again."))
    return redirect("monitors", slug=slug)
