"""How far a project is, how its people do, and the order of its queue."""

from __future__ import annotations

import math
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.permissions import Action, may, project_for
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, person_named, user_of
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.labeling import LabelerProgressOut
from labeling.queue import selectors as queue
from labeling.queue.services import open_next_band, request_ranking
from labeling.truth import quality as truth
from labeling.truth.estimates import Proportion
from labeling.truth.services import lift_pause


class LadderOut(serializers.Serializer[Any]):
    ladder = serializers.CharField(allow_null=True, help_text="class key; null without a model")
    band = serializers.IntegerField(allow_null=True, help_text="null: came after the ranking")
    waiting = serializers.IntegerField()
    begun = serializers.IntegerField()


class ProgressOut(LabelerProgressOut):
    """A labeler gets the first three only."""

    current_band = serializers.IntegerField(required=False)
    reached_band = serializers.IntegerField(
        required=False, help_text="further in than current_band while a band is open again"
    )
    bands = serializers.IntegerField(required=False)
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
    gold = serializers.IntegerField(required=False, help_text="admins only")
    answers = serializers.IntegerField(required=False)
    rulings = serializers.IntegerField(required=False)
    human_decisions = serializers.IntegerField(required=False)
    open_disputes = serializers.IntegerField(required=False)
    pool = serializers.IntegerField(required=False)
    audited = serializers.IntegerField(required=False)
    on_loan = serializers.IntegerField(required=False)
    strategy = serializers.CharField(required=False)
    ranking = serializers.IntegerField(required=False, allow_null=True)
    model = serializers.IntegerField(required=False, allow_null=True)
    ladders = LadderOut(many=True, required=False)


class ShareOut(serializers.Serializer[Any]):
    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(help_text="95 % interval")
    high = serializers.FloatField()


class PauseOut(serializers.Serializer[Any]):
    correct = serializers.IntegerField()
    asked = serializers.IntegerField()
    bar = serializers.FloatField()
    since = serializers.DateTimeField()


class LabelerOut(serializers.Serializer[Any]):
    username = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField(allow_blank=True)
    answers = serializers.IntegerField()
    today = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True, help_text="median from photo shown to answer")
    last_at = serializers.DateTimeField(allow_null=True)
    holds = ShareOut()
    agreed = ShareOut(help_text="with what was settled")
    gold = ShareOut(help_text="right among the last gold answers")
    pause = PauseOut(allow_null=True)


class LabelersOut(serializers.Serializer[Any]):
    labelers = LabelerOut(many=True)
    alpha = serializers.FloatField(allow_null=True, help_text="Krippendorff's, from the newest estimate")
    observed = serializers.FloatField(allow_null=True, help_text="share of answer pairs that agree")
    unanimous = ShareOut()


class ReasonIn(StrictSerializer):
    reason = serializers.CharField(max_length=300)


class BandOut(serializers.Serializer[Any]):
    band = serializers.IntegerField()


def share_of(proportion: Proportion) -> dict[str, Any]:
    return {
        "part": proportion.part,
        "whole": proportion.whole,
        "share": proportion.share,
        "low": proportion.low,
        "high": proportion.high,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and not math.isnan(value) else None


class ProgressView(ApiView):
    @documented("get_progress", "How far the project is", returns=ProgressOut, tag="monitoring")
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.VIEW)
        shown: dict[str, Any] = dict(queue.labeler_progress(project, user_of(request)))
        if may(request.user, project, Action.REVIEW):
            everything = queue.progress(project)
            if not may(request.user, project, Action.ADMIN):
                del everything["gold"]
            shown |= everything
        return Response(shown)


class LabelersView(ApiView):
    @documented(
        "list_labelers",
        "Each person's figures, and agreement (admins)",
        returns=LabelersOut,
        tag="monitoring",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        agreement = truth.agreement(project)
        return Response(
            {
                "labelers": [_present_labeler(figures) for figures in truth.labeler_figures(project)],
                "alpha": _finite(agreement["alpha"]),
                "observed": agreement["observed"],
                "unanimous": share_of(agreement["unanimous"]),
            }
        )


def _present_labeler(figures: truth.LabelerFigures) -> dict[str, Any]:
    pause = figures.pause
    return {
        "username": figures.user.get_username(),
        "name": str(figures.user),
        "role": figures.role,
        "answers": figures.answers,
        "today": figures.today,
        "seconds": figures.seconds,
        "last_at": figures.last_at,
        "holds": share_of(figures.holds),
        "agreed": share_of(figures.agreed),
        "gold": share_of(figures.gold),
        "pause": {"correct": pause.correct, "asked": pause.asked, "bar": pause.bar, "since": pause.created_at}
        if pause
        else None,
    }


class ResumeView(ApiView):
    @documented(
        "resume_labeler",
        "Let a paused labeler go on (admins)",
        returns=None,
        status=204,
        errors=(409,),
        tag="monitoring",
    )
    def post(self, request: Request, slug: str, username: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        lift_pause(project=project, labeler=person_named(username), by=user_of(request))
        return Response(status=204)


class RankView(ApiView):
    throttle_scope = "train"

    @documented(
        "rank",
        "Re-score and re-rank the pool, as a job (admins)",
        returns=JobOut,
        status=202,
        errors=(409, 429),
        tag="monitoring",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        return Response(present_job(request_ranking(project=project, by=user_of(request))), status=202)


class OpenBandView(ApiView):
    @documented(
        "open_band",
        "Move the queue one band inward, before it would by itself (admins)",
        takes=ReasonIn,
        returns=BandOut,
        errors=(409,),
        tag="monitoring",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = ReasonIn(data=request.data)
        given.is_valid(raise_exception=True)
        band = open_next_band(project=project, by=user_of(request), reason=given.validated_data["reason"])
        return Response({"band": band})
