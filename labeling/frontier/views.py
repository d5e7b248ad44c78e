"""The frontier's page, in four parts: what is certified and why, bands, decisions, policy; and how people steer it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action, may
from labeling.database.read_once import only_looking
from labeling.frontier import services
from labeling.frontier.changing_policy import set_policy
from labeling.frontier.forms import PolicyForm
from labeling.frontier.models import Certificate
from labeling.frontier.page import BANDS, CERTIFIED, DECISIONS, POLICY, Part, page
from labeling.frontier.policy import policy_of
from labeling.http.refused import refusals_beside, refusals_said
from labeling.people.signed_in import signed_in
from labeling.queue.services import open_next_band, reopen_band
from labeling.text.counts import Count
from labeling.text.typed_numbers import whole


@open_to(get=Action.OVERRULE)
def frontier(request: HttpRequest, project: Project) -> HttpResponse:
    """What is certified, and on what proof."""
    return _looked_at(request, project, CERTIFIED)


@open_to(get=Action.OVERRULE)
def bands(request: HttpRequest, project: Project) -> HttpResponse:
    """Every band with its gate."""
    return _looked_at(request, project, BANDS)


@open_to(get=Action.OVERRULE)
def decisions(request: HttpRequest, project: Project) -> HttpResponse:
    """The newest automatic decisions; ``?class=``, ``?outcome=`` and ``?before=`` choose among them."""
    return _looked_at(request, project, DECISIONS)


def _looked_at(request: HttpRequest, project: Project, part: Part) -> HttpResponse:
    """The page with this part, or with ``?fragment=state`` what of it changes by itself."""
    if request.GET.get("fragment") == "state":
        return render(request, "frontier/_live.html", _context(request, project, part, live=True))
    return _page(request, project, part)


@only_looking()
def _page(
    request: HttpRequest, project: Project, part: Part, *, status: int = 200, **more: Any
) -> HttpResponse:
    return render(request, "frontier/frontier.html", _context(request, project, part) | more, status=status)


def _context(request: HttpRequest, project: Project, part: Part, *, live: bool = False) -> dict[str, Any]:
    may_decide = may(request.user, project, Action.DECIDE)
    shown = page(project, part, request.GET.dict(), live=live)
    return project_context(request, project, "frontier", may_decide=may_decide, **shown)


@open_to(post=Action.DECIDE)
def certify(request: HttpRequest, project: Project) -> HttpResponse:
    with refusals_said(request):
        services.request_certification(project=project, by=signed_in(request))
        messages.success(
            request, _("The random labels are being looked at. This page shows what they prove.")
        )
    return redirect("frontier", slug=project.slug)


@open_to(post=Action.DECIDE)
def draw(request: HttpRequest, project: Project) -> HttpResponse:
    """Ask people for more random photos: of the whole pool, or those that a class's next threshold lacks."""
    count = whole(request.POST.get("count", "")) or 0
    with refusals_said(request):
        if key := request.POST.get("class"):
            drawn = services.draw_for_band(project=project, by=signed_in(request), class_key=key, count=count)
        else:
            drawn = services.draw_random(project=project, by=signed_in(request), count=count)
        messages.success(
            request,
            ngettext(
                "%(n)d photo was drawn at random and comes before all others.",
                "%(n)d photos were drawn at random and come before all others.",
                drawn,
            )
            % {"n": drawn},
        )
    return redirect("frontier", slug=project.slug)


@open_to(post=Action.ADMIN)
def open_band(request: HttpRequest, project: Project) -> HttpResponse:
    """Let the queue go on from its band before it has settled."""
    with refusals_said(request):
        band = open_next_band(project=project, by=signed_in(request), reason=request.POST.get("reason", ""))
        messages.success(request, _("Band %(n)d is open.") % {"n": band + 1})
    return redirect("frontier-bands", slug=project.slug)


@open_to(post=Action.ADMIN)
def reopen(request: HttpRequest, project: Project) -> HttpResponse:
    """Call the queue back to a band that it has passed."""
    typed = whole(request.POST.get("band", ""), digits=3)
    band = -1 if typed is None else typed
    with refusals_said(request):
        why = request.POST.get("reason", "")
        missing = reopen_band(project=project, band=band, by=signed_in(request), reason=why)
        messages.success(
            request,
            ngettext(
                "Band %(n)d is open again for %(missing)s ground truth.",
                "Band %(n)d is open again for %(missing)s ground truths.",
                missing,
            )
            % {"n": band + 1, "missing": Count(missing)},
        )
    return redirect("frontier-bands", slug=project.slug)


@open_to(get=Action.OVERRULE, post=Action.DECIDE)
def policy(request: HttpRequest, project: Project) -> HttpResponse:
    """What is in force; an admin appends another."""
    if request.method != "POST":
        return _looked_at(request, project, POLICY)
    form = PolicyForm(request.POST, in_force=policy_of(project))
    if form.is_valid():
        with refusals_beside(form):
            set_policy(
                project=project, by=signed_in(request), reason=form.cleaned_data["reason"], **form.changes()
            )
            messages.success(request, _("The policy is applied."))
            return redirect("frontier-policy", slug=project.slug)
    messages.error(request, _("Nothing was changed: see the marked fields."))
    return _page(request, project, POLICY, status=422, form=form)


@open_to(post=Action.DECIDE)
def suspend(request: HttpRequest, project: Project, certificate_id: int) -> HttpResponse:
    certificate = Certificate.objects.filter(project=project, pk=certificate_id).first()
    if certificate is None:
        raise Http404(_("There is no such certificate."))
    with refusals_said(request):
        photos = services.suspend(
            certificate=certificate, by=signed_in(request), note=request.POST.get("note", "")
        )
        messages.success(
            request,
            ngettext(
                "Suspended. %(n)d photo went back to people.",
                "Suspended. %(n)d photos went back to people.",
                photos,
            )
            % {"n": photos},
        )
    return redirect("frontier", slug=project.slug)
