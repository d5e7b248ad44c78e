"""The frontier's page: what is proven and why, what the machine decided, and the words by which people steer it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may, project_for, role_in
from labeling.catalog.selectors import active_definitions, class_names, current_guideline, photo_urls
from labeling.frontier import services
from labeling.frontier.bands import band_table
from labeling.frontier.changes import POLICY, labels
from labeling.frontier.changing_policy import set_policy
from labeling.frontier.explanations import explanation_of, heat_of, request_explanation
from labeling.frontier.limits import limits
from labeling.frontier.models import AutomaticDecision, Certificate, FrontierPolicy, Mode
from labeling.frontier.notes import kept_whole
from labeling.frontier.picture import picture
from labeling.frontier.policy import policy_of
from labeling.frontier.selectors import became, decision_to_tell, decisions, explain, standing
from labeling.queue.services import open_next_band, reopen_band
from labeling.refusals import Refused
from labeling.typed_numbers import real, whole

#: field -> what the form's number is divided by.
_FORM = {"precision": 100, "delta": 100, "audit_share": 100, "planned_labels": 1}
SHOWN = 24
ENDED_SHOWN = 20


@login_required
@require_GET
def frontier(request: HttpRequest, slug: str) -> HttpResponse:
    """The page, or with ``?fragment=state`` the part that changes by itself."""
    project = project_for(request.user, slug, Action.OVERRULE)
    if request.GET.get("fragment") == "state":
        return render(request, "frontier/_state.html", _context(request, project))
    return _page(request, project)


def _page(request: HttpRequest, project: Project, *, status: int = 200, **more: Any) -> HttpResponse:
    return render(
        request,
        "frontier/frontier.html",
        _context(request, project) | _settings(project) | more,
        status=status,
    )


def _context(request: HttpRequest, project: Project) -> dict[str, Any]:
    now = standing(project)
    seen = picture(project)
    newest = list(decisions(project).told().order_by("-id")[:SHOWN])
    names = class_names(current_guideline(project))
    ended = list(
        Certificate.objects.filter(project=project, ends__isnull=False)
        .select_related("label_class", "model_version", "guideline")
        .prefetch_related("ends__by")
        .distinct()[:ENDED_SHOWN]
    )
    return {
        "project": project,
        "role": role_in(request.user, project),
        "page": "frontier",
        "may_decide": may(request.user, project, Action.DECIDE),
        "now": now,
        "picture": seen,
        "bands": band_table(project, seen),
        "passed": [gate.number for gate in seen.gates if gate.passed],
        "decisions": [
            (
                each,
                became(each),
                photo_urls(each.item.image)["thumb"],
                names.get(each.label_class_id, each.label_class.key),
            )
            for each in newest
        ],
        "decided_any": bool(newest) or AutomaticDecision.objects.filter(project=project).exists(),
        "ended": [(each, names.get(each.label_class_id, each.label_class.key)) for each in ended],
    }


def _settings(project: Project) -> dict[str, Any]:
    policy = policy_of(project)
    return {
        "modes": [
            (Mode.OFF, _("Off"), _("People decide every photo.")),
            (
                Mode.SHADOW,
                _("Shadow"),
                _("People decide every photo; what the machine would have said is compared."),
            ),
            (
                Mode.ON,
                _("On"),
                _("The machine decides what lies inside the frontier; people audit a random share."),
            ),
        ],
        "labels": labels(POLICY),
        "given": {
            "precision": f"{100 * policy.precision:g}",
            "delta": f"{100 * policy.delta:g}",
            "audit_share": f"{100 * policy.audit_share:g}",
            "planned_labels": str(policy.planned_labels),
            "mode": policy.mode,
            "undecided_are_errors": policy.undecided_are_errors,
            "reason": "",
        },
        "errors": {},
    }


@login_required
@require_POST
def certify(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.DECIDE)
    user: Any = request.user
    try:
        services.request_certification(project=project, by=user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request, _("The random labels are being looked at. This page shows what they prove.")
        )
    return redirect("frontier", slug=slug)


@login_required
@require_POST
def draw(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask people for more random photos: of the whole pool, or those that a class's next threshold lacks."""
    project = project_for(request.user, slug, Action.DECIDE)
    user: Any = request.user
    count = whole(request.POST.get("count", "")) or 0
    try:
        if key := request.POST.get("class"):
            drawn = services.draw_for_band(project=project, by=user, class_key=key, count=count)
        else:
            drawn = services.draw_random(project=project, by=user, count=count)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request,
            ngettext(
                "%(n)d photo was drawn at random and comes before all others.",
                "%(n)d photos were drawn at random and come before all others.",
                drawn,
            )
            % {"n": drawn},
        )
    return redirect("frontier", slug=slug)


@login_required
@require_POST
def open_band(request: HttpRequest, slug: str) -> HttpResponse:
    """Let the queue go on from its band before it has settled."""
    project = project_for(request.user, slug, Action.ADMIN)
    user: Any = request.user
    try:
        band = open_next_band(
            project=project, by=user, reason=kept_whole(request.POST.get("reason", ""), field="reason")
        )
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Band %(n)d is open.") % {"n": band + 1})
    return redirect("frontier", slug=slug)


@login_required
@require_POST
def reopen(request: HttpRequest, slug: str) -> HttpResponse:
    """Call the queue back to a band that it has passed."""
    project = project_for(request.user, slug, Action.ADMIN)
    user: Any = request.user
    typed = whole(request.POST.get("band", ""), digits=3)
    band = -1 if typed is None else typed
    try:
        why = kept_whole(request.POST.get("reason", ""), field="reason")
        missing = reopen_band(project=project, band=band, by=user, reason=why)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request,
            ngettext(
                "Band %(n)d is open again for %(missing)d ground truth.",
                "Band %(n)d is open again for %(missing)d ground truths.",
                missing,
            )
            % {"n": band + 1, "missing": missing},
        )
    return redirect("frontier", slug=slug)


@login_required
@require_POST
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """Percentages in, shares kept."""
    project = project_for(request.user, slug, Action.DECIDE)
    user: Any = request.user
    given: dict[str, Any] = {
        name: request.POST.get(name, "").strip()
        for name in ("precision", "delta", "audit_share", "planned_labels", "mode", "reason")
    }
    given["undecided_are_errors"] = bool(request.POST.get("undecided_are_errors"))
    errors: dict[str, Any] = {}
    changes: dict[str, Any] = {
        "undecided_are_errors": given["undecided_are_errors"],
        "mode": given["mode"],
    }
    for name in ("precision", "delta", "audit_share"):
        number = real(given[name])
        if number is None:
            errors[name] = _("A number of per cent.")
        else:
            changes[name] = round(number / 100, 6)
    changes["planned_labels"] = whole(given["planned_labels"])
    if changes["planned_labels"] is None:
        errors["planned_labels"] = _("A whole number.")
    if not errors:
        try:
            set_policy(project=project, by=user, reason=given["reason"], **changes)
        except Refused as refusal:
            fields = refusal.fields or {"mode": refusal.message}
            bounds = refusal.code == "invalid"  # said in the unit of the form
            errors = {
                name: limits(FrontierPolicy, name, scale=_FORM[name]) if bounds and name in _FORM else said
                for name, said in fields.items()
            }
    if errors:
        messages.error(request, _("Nothing was changed: see the marked fields."))
        return _page(request, project, status=422, given=given, errors=errors)
    messages.success(request, _("The policy is applied."))
    return redirect("frontier", slug=slug)


@login_required
@require_POST
def suspend(request: HttpRequest, slug: str, certificate_id: int) -> HttpResponse:
    project = project_for(request.user, slug, Action.DECIDE)
    certificate = Certificate.objects.filter(project=project, pk=certificate_id).first()
    if certificate is None:
        raise Http404(_("There is no such certificate."))
    user: Any = request.user
    try:
        photos = services.suspend(certificate=certificate, by=user, note=request.POST.get("note", ""))
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request,
            ngettext(
                "Suspended. %(n)d photo went back to people.",
                "Suspended. %(n)d photos went back to people.",
                photos,
            )
            % {"n": photos},
        )
    return redirect("frontier", slug=slug)


def _decision(project: Project, decision_id: int) -> AutomaticDecision:
    found = decision_to_tell(project, decision_id)
    if found is None:
        raise Http404(_("There is no such decision."))
    return found


@login_required
@require_GET
def decision(request: HttpRequest, slug: str, decision_id: int) -> HttpResponse:
    """One decision, explained; with ``?fragment=explanation`` the part that a worker finds."""
    project = project_for(request.user, slug, Action.OVERRULE)
    found = _decision(project, decision_id)
    if request.GET.get("fragment") == "explanation":
        context = {"project": project, "explained": explain(project, found)}
        return render(
            request, "frontier/_explanation.html", context | {"why": explanation_of(project, found)}
        )
    return _decision_page(request, project, found)


@login_required
@require_POST
def ask_why(request: HttpRequest, slug: str, decision_id: int) -> HttpResponse:
    """Have a worker look for what mattered in the photo, and for settled ones alike."""
    project = project_for(request.user, slug, Action.OVERRULE)
    user: Any = request.user
    request_explanation(decision=_decision(project, decision_id), by=user)
    return redirect("frontier-decision", slug=slug, decision_id=decision_id)


@login_required
@require_GET
def heat(request: HttpRequest, slug: str, decision_id: int) -> HttpResponse:
    """The heat map as a PNG to lay over the photo."""
    project = project_for(request.user, slug, Action.OVERRULE)
    found = heat_of(project, decision_id)
    if found is None:
        raise Http404(_("There is no heat map of this decision."))
    response = HttpResponse(found, content_type="image/png")
    response["Cache-Control"] = "private, max-age=86400"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _decision_page(
    request: HttpRequest, project: Project, found: AutomaticDecision, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "project": project,
        "role": role_in(request.user, project),
        "page": "frontier",
        "explained": explain(project, found),
        "why": explanation_of(project, found),
        "definitions": active_definitions(project),
        "error": error,
    }
    return render(request, "frontier/decision.html", context, status=status)


@login_required
@require_POST
def overrule(request: HttpRequest, slug: str, decision_id: int) -> HttpResponse:
    project = project_for(request.user, slug, Action.OVERRULE)
    found = _decision(project, decision_id)
    user: Any = request.user
    try:
        services.overrule(
            decision=found,
            by=user,
            reason=request.POST.get("reason", ""),
            class_key=request.POST.get("class", ""),
        )
    except Refused as refusal:
        return _decision_page(request, project, found, error=refusal.message, status=refusal.status)
    messages.success(request, _("Overruled. The photo went to people."))
    return redirect("frontier", slug=slug)
