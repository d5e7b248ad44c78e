"""The page of one automatic decision: why it was made, and the word that takes it back."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.selectors import active_classes
from labeling.frontier import services
from labeling.frontier.decisions.selectors import decision_to_tell, explain
from labeling.frontier.explanations import explanation_of, heat_of, request_explanation
from labeling.frontier.models import AutomaticDecision
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


@open_to(get=Action.OVERRULE)
def decision(request: HttpRequest, project: Project, decision_id: int) -> HttpResponse:
    """One decision, explained; with ``?fragment=explanation`` the part that a worker finds."""
    found = _decision(project, decision_id)
    if request.GET.get("fragment") == "explanation":
        context = {
            "project": project,
            "explained": explain(project, found),
            "why": explanation_of(project, found),
        }
        return render(request, "frontier/_explanation.html", context)
    return _page(request, project, found)


@open_to(post=Action.OVERRULE)
def ask_why(request: HttpRequest, project: Project, decision_id: int) -> HttpResponse:
    """Have a worker look for what mattered in the photo, and for settled ones alike."""
    request_explanation(decision=_decision(project, decision_id), by=signed_in(request))
    return redirect("frontier-decision", slug=project.slug, decision_id=decision_id)


@open_to(get=Action.OVERRULE)
def heat(request: HttpRequest, project: Project, decision_id: int) -> HttpResponse:
    """The heat map as a PNG to lay over the photo."""
    found = heat_of(project, decision_id)
    if found is None:
        raise Http404(_("There is no heat map of this decision."))
    response = HttpResponse(found, content_type="image/png")
    response["Cache-Control"] = "private, max-age=86400"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@open_to(post=Action.OVERRULE)
def overrule(request: HttpRequest, project: Project, decision_id: int) -> HttpResponse:
    found = _decision(project, decision_id)
    try:
        services.overrule(
            decision=found,
            by=signed_in(request),
            reason=request.POST.get("reason", ""),
            class_key=request.POST.get("class", ""),
        )
    except Refused as refusal:
        return _page(request, project, found, error=refusal.message, status=refusal.status)
    messages.success(request, _("Overruled. The photo went to people."))
    return redirect("frontier-decisions", slug=project.slug)


def _page(
    request: HttpRequest, project: Project, found: AutomaticDecision, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = project_context(
        request,
        project,
        "frontier",
        explained=explain(project, found),
        why=explanation_of(project, found),
        definitions=active_classes(project),
        error=error,
    )
    return render(request, "frontier/decision.html", context, status=status)


def _decision(project: Project, decision_id: int) -> AutomaticDecision:
    found = decision_to_tell(project, decision_id)
    if found is None:
        raise Http404(_("There is no such decision."))
    return found
