"""How a project's people do, and how well they agree. For its admins."""

from __future__ import annotations

import math
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, person_named, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import ShareOut
from labeling.gateway.api.shapes import Shape
from labeling.truth.quality.agreement import agreement
from labeling.truth.quality.labelers import LabelerFigures, labeler_figures
from labeling.truth.services import lift_pause


class PauseOut(Shape):
    correct = serializers.IntegerField()
    asked = serializers.IntegerField()
    bar = serializers.FloatField()
    since = serializers.DateTimeField()


class LabelerOut(Shape):
    username = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField(allow_blank=True)
    answers = serializers.IntegerField()
    today = serializers.IntegerField()
    seconds = serializers.FloatField(
        allow_null=True, help_text="median from photo shown to answer, of the newest 50"
    )
    last_at = serializers.DateTimeField(allow_null=True)
    holds = ShareOut()
    agreed = ShareOut(help_text="with what was settled")
    gold = ShareOut(help_text="right among the last gold answers")
    pause = PauseOut(allow_null=True)


class LabelersOut(Shape):
    labelers = LabelerOut(many=True)
    alpha = serializers.FloatField(allow_null=True, help_text="Krippendorff's, from the newest estimate")
    observed = serializers.FloatField(allow_null=True, help_text="share of answer pairs that agree")
    unanimous = ShareOut()


@route("projects/<slug:slug>/labelers", "api-labelers", "monitoring")
class LabelersView(ApiView):
    @endpoint("list_labelers", "Each person's figures, and agreement", may=Action.ADMIN, returns=LabelersOut)
    def get(self, request: Request, project: Project) -> Json:
        agreed = agreement(project)
        return {
            "labelers": [_present_labeler(figures) for figures in labeler_figures(project)],
            "alpha": _finite(agreed["alpha"]),
            "observed": agreed["observed"],
            "unanimous": ShareOut.of(agreed["unanimous"]),
        }


def _present_labeler(figures: LabelerFigures) -> dict[str, Any]:
    pause = figures.pause
    return LabelerOut.of(
        figures,
        username=figures.user.get_username(),
        name=str(figures.user),
        holds=ShareOut.of(figures.holds),
        agreed=ShareOut.of(figures.agreed),
        gold=ShareOut.of(figures.gold),
        pause=PauseOut.of(pause, since=pause.created_at) if pause else None,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and not math.isnan(value) else None


@route("projects/<slug:slug>/labelers/<str:username>/resume", "api-resume", "monitoring")
class ResumeView(ApiView):
    @endpoint("resume_labeler", "Let a paused labeler go on", may=Action.ADMIN, errors=(409,))
    def post(self, request: Request, project: Project, username: str) -> None:
        lift_pause(project=project, labeler=person_named(username), by=signed_in(request))
