"""How far a project is."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.labeling import LabelerProgressOut
from labeling.gateway.api.shapes import Shape
from labeling.queue import selectors as queue


class LadderOut(Shape):
    ladder = serializers.CharField(allow_null=True, help_text="class key; null without a model")
    band = serializers.IntegerField(allow_null=True, help_text="null: came after the ranking")
    waiting = serializers.IntegerField()
    begun = serializers.IntegerField()


class ProgressOut(LabelerProgressOut):
    """A labeler gets the first four only."""

    current_band = serializers.IntegerField(required=False)
    reached_band = serializers.IntegerField(
        required=False, help_text="further in than current_band while a band is open again"
    )
    bands = serializers.IntegerField(required=False)
    has_bands = serializers.BooleanField(required=False, help_text="false before the first model's order")
    boundary_after = serializers.IntegerField(required=False)
    agreement = serializers.FloatField(required=False, allow_null=True)
    agreement_needed = serializers.FloatField(required=False)
    alpha = serializers.FloatField(
        required=False,
        allow_null=True,
        help_text="Krippendorff's, over the blind answers since the band opened; null: undefined",
    )
    alpha_needed = serializers.FloatField(required=False, help_text="0: none is asked for")
    ground_truths = serializers.IntegerField(required=False)
    classes = serializers.DictField(child=serializers.IntegerField(), required=False)
    held = serializers.IntegerField(required=False)
    unusable = serializers.IntegerField(required=False)
    assisted = serializers.IntegerField(
        required=False, help_text="of the ground truths, those that one answer settled, as the machine agreed"
    )
    gold = serializers.IntegerField(required=False, help_text="admins only")
    answers = serializers.IntegerField(required=False)
    rulings = serializers.IntegerField(required=False)
    human_decisions = serializers.IntegerField(required=False)
    open_disputes = serializers.IntegerField(required=False, help_text="that wait for a ruling")
    held_disputes = serializers.IntegerField(
        required=False,
        help_text="photos at the boundary on which blind answers differ: kept out of training, and no ruling is asked for",
    )
    pool = serializers.IntegerField(required=False)
    audited = serializers.IntegerField(required=False)
    on_loan = serializers.IntegerField(required=False)
    strategy = serializers.CharField(required=False)
    ranking = serializers.IntegerField(required=False, allow_null=True)
    model = serializers.IntegerField(required=False, allow_null=True)
    ladders = LadderOut(many=True, required=False)


@route("projects/<slug:slug>/progress", "api-progress", "monitoring")
class ProgressView(ApiView):
    @endpoint("get_progress", "How far the project is", may=Action.VIEW, returns=ProgressOut)
    def get(self, request: Request, project: Project) -> Json:
        shown: dict[str, Any] = dict(queue.labeler_progress(project, signed_in(request)))
        if may(request.user, project, Action.FIGURES):
            everything = queue.progress(project)
            if not may(request.user, project, Action.ADMIN):
                del everything["gold"]
            shown |= everything
        return shown
