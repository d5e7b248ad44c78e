"""Why the machine decided so: the nearest settled photos, and what mattered in the picture."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.frontier.decisions.selectors import decision_to_tell
from labeling.frontier.explanations import Explanation, explanation_of, heat_of, request_explanation
from labeling.frontier.models import AutomaticDecision
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint, file_of, number_in_path
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import Shape

_DECISION = number_in_path("decision_id")


class NeighbourOut(Shape):
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    alike = serializers.FloatField(help_text="cosine of the standardised vectors")
    stands = serializers.BooleanField(help_text="whether the ground truth that it had then is still in force")
    class_ = serializers.CharField(help_text="as it counts today")


class ExplanationOut(Shape):
    nearest = NeighbourOut(
        many=True, help_text="settled photos nearest in the space of the backbones, most alike first"
    )
    heat = serializers.BooleanField(help_text="whether there is a heat map (`heat.png`)")
    before = serializers.FloatField(
        allow_null=True, help_text="the class's probability for the photo as it is"
    )
    lowest = serializers.FloatField(allow_null=True, help_text="with the most important part hidden")
    backbones = serializers.ListField(
        child=serializers.CharField(),
        help_text="of the version that decided: their vectors were compared, and all were asked at once for the heat map",
    )


def _decision(project: Project, decision_id: int) -> AutomaticDecision:
    decision = decision_to_tell(project, decision_id)
    if decision is None:
        raise Http404(_("There is no such decision."))
    return decision


@route("projects/<slug:slug>/decisions/<int:decision_id>/explanation", "api-explanation", "frontier")
class ExplanationView(ApiView):
    @endpoint(
        "get_explanation",
        "Why the machine decided so, once a worker has looked for it",
        may=Action.OVERRULE,
        returns=ExplanationOut,
        parameters=[_DECISION],
        errors=(409,),
    )
    def get(self, request: Request, project: Project, decision_id: int) -> Json:
        decision = _decision(project, decision_id)
        found = explanation_of(project, decision)
        if found.state != "done":
            raise Http404(_("Nobody has looked for it yet. Ask for it, and a worker does."))
        return _explained(found)

    @endpoint(
        "explain_decision",
        "Have a worker look for it, as a job (202); where it is there already, 200 with it",
        may=Action.OVERRULE,
        returns=ExplanationOut,
        also={202: JobOut},
        parameters=[_DECISION],
        errors=(409,),
    )
    def post(self, request: Request, project: Project, decision_id: int) -> Json | Response:
        decision = _decision(project, decision_id)
        job = request_explanation(decision=decision, by=signed_in(request))
        if job is not None:
            return Response(present_job(job), status=202)
        return _explained(explanation_of(project, decision))


def _explained(found: Explanation) -> dict[str, Any]:
    nearest = [
        NeighbourOut.of(
            each,
            sha256=each.item.image.sha256,
            name=each.item.name,
            alike=each.similarity,
            class_=each.key,
        )
        for each in found.neighbours or []
    ]
    return ExplanationOut.of(found, nearest=nearest)


@route("projects/<slug:slug>/decisions/<int:decision_id>/heat.png", "api-heat", "frontier")
class HeatView(ApiView):
    @endpoint(
        "get_heat",
        "What mattered in the photo, as a PNG to lay over it: the more opaque, the more",
        may=Action.OVERRULE,
        also=file_of("image/png", "the heat map"),
        parameters=[_DECISION],
        errors=(409,),
    )
    def get(self, request: Request, project: Project, decision_id: int) -> HttpResponse:
        decision = _decision(project, decision_id)
        heat = heat_of(project, decision.pk)
        if heat is None:
            raise Http404(_("There is no heat map of this decision."))
        return HttpResponse(heat, content_type="image/png")
