"""The strategy lab: labeling replayed on a project's own ground truths, to choose a strategy by evidence. For admins."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.catalog.strategies import STRATEGIES
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import StrictSerializer, paged
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


@route("projects/<slug:slug>/lab", "api-lab", "models")
class LabView(ApiView):
    throttle_scope = "train"

    @endpoint(
        "list_lab_runs",
        "Runs of the strategy lab, newest first; a run's `result` holds curves and paired differences",
        may=Action.ADMIN,
        returns=paged("LabPage", JobOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_time(lab.runs(project), request, present_job, newest_first=True)

    @endpoint(
        "run_lab",
        "Replay labeling by several strategies, as a job; 409 `under_way` names the one that runs or waits",
        may=Action.ADMIN,
        takes=LabIn,
        returns=JobOut,
        status=202,
        errors=(409, 429),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        job = lab.request_lab(project=project, by=signed_in(request), **given)
        return present_job(job)
