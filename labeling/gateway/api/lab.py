"""The strategy lab: labeling replayed on a project's own ground truths, to choose a strategy by evidence. For admins."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.permissions import Action, project_for
from labeling.catalog.strategies import STRATEGIES
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, paged, user_of
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.pagination import page_by_time
from labeling.learning.lab import services as lab


class LabIn(StrictSerializer):
    strategies = serializers.ListField(
        child=serializers.CharField(max_length=30),
        min_length=2,
        max_length=len(STRATEGIES),
        help_text=f"At least two of: {', '.join(STRATEGIES)}.",
    )
    labelers = serializers.ChoiceField(lab.LABELERS, default="strict")
    seeds = serializers.IntegerField(
        min_value=2, max_value=lab.MOST_SEEDS, default=5, help_text="Repetitions of the replay."
    )


class LabView(ApiView):
    throttle_scope = "train"

    @documented(
        "list_lab_runs",
        "Runs of the strategy lab, newest first; a run's `result` holds curves and paired differences",
        returns=paged("LabPage", JobOut),
        pages=True,
        tag="models",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        return Response(page_by_time(lab.runs(project), request, present_job, newest_first=True))

    @documented(
        "run_lab",
        "Replay labeling by several strategies, as a job; 409 `under_way` names the one that runs or waits",
        takes=LabIn,
        returns=JobOut,
        status=202,
        errors=(409, 429),
        tag="models",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = LabIn(data=request.data)
        given.is_valid(raise_exception=True)
        job = lab.request_lab(project=project, by=user_of(request), **given.validated_data)
        return Response(present_job(job), status=202)
