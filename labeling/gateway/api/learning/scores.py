"""The champion's scores. For admins: who knows them is blind no more."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import Shape, paged
from labeling.gateway.pagination import page_by_id
from labeling.learning import selectors
from labeling.learning.models import Score
from labeling.planner import LookedUp
from labeling.truth.models import Gold, GroundTruth


class ScoreOut(Shape):
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    predicted = serializers.CharField()
    confidence = serializers.FloatField(help_text="top probability minus the second")
    probabilities = serializers.DictField(child=serializers.FloatField(), help_text="class key → probability")
    labeled = serializers.BooleanField(help_text="there is a ground truth in force that people made")
    gold = serializers.BooleanField()


@route("projects/<slug:slug>/scores", "api-scores", "models")
class ScoresView(ApiView):
    @endpoint("list_scores", "The champion's scores", may=Action.ADMIN, returns=paged("ScorePage", ScoreOut))
    def get(self, request: Request, project: Project) -> Json | Response:
        champion = selectors.champion(project)
        keys = selectors.class_keys(champion) if champion else []
        names = dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))
        settled = GroundTruth.objects.current().exclude(origin="gold").filter(item_id=OuterRef("item_id"))
        known = Gold.objects.filter(item_id=OuterRef("item_id"), retired_at__isnull=True)
        scores = (
            Score.objects.filter(model_version=champion)
            .select_related("item__image")
            .annotate(labeled=LookedUp(settled), gold=LookedUp(known))
        )

        def present(score: Any) -> dict[str, Any]:
            return ScoreOut.of(
                score,
                sha256=score.item.image.sha256,
                name=score.item.name,
                predicted=names[score.predicted_id],
                probabilities=dict(zip(keys, score.probabilities, strict=True)),
            )

        return page_by_id(scores, request, present, key="item_id")
