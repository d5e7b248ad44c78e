"""Background jobs: how far they are, how they ended, and stop. For admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import Shape, paged
from labeling.gateway.pagination import page_by_time
from labeling.jobs import services
from labeling.jobs.models import Job, JobState
from labeling.refusals import Refused


class JobOut(Shape):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(JobState.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    message = serializers.CharField(allow_blank=True)
    result = serializers.JSONField(help_text="null: it has none")
    error = serializers.CharField(allow_blank=True, help_text="What went wrong, and what to do.")
    requested_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    cancel_requested_at = serializers.DateTimeField(allow_null=True)


def present_job(job: Job) -> dict[str, Any]:
    by = job.requested_by
    return JobOut.of(job, requested_by=by.get_username() if by else None, error=job.said)


def _job(project: Project, job_id: UUID) -> Job:
    job = Job.objects.of_project(project.pk).select_related("requested_by").filter(pk=job_id).first()
    if job is None:
        raise Http404(_("There is no such job in this project."))
    return job


@route("projects/<slug:slug>/jobs", "api-jobs", "jobs")
class JobsView(ApiView):
    @endpoint("list_jobs", "Jobs, newest first", may=Action.ADMIN, returns=paged("JobPage", JobOut))
    def get(self, request: Request, project: Project) -> Json:
        jobs = Job.objects.of_project(project.pk).select_related("requested_by")
        return page_by_time(jobs, request, present_job, newest_first=True)


@route("projects/<slug:slug>/jobs/<uuid:job_id>", "api-job", "jobs")
class JobView(ApiView):
    @endpoint("get_job", "How a job stands", may=Action.ADMIN, returns=JobOut)
    def get(self, request: Request, project: Project, job_id: UUID) -> Json:
        return present_job(_job(project, job_id))


@route("projects/<slug:slug>/jobs/<uuid:job_id>/cancel", "api-cancel", "jobs")
class CancelView(ApiView):
    @endpoint(
        "cancel_job",
        "Ask a job to stop; 409 `job_over` when it has ended otherwise",
        may=Action.ADMIN,
        returns=JobOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, job_id: UUID) -> Json:
        job = services.cancel(job=_job(project, job_id))
        if job.state in (JobState.SUCCEEDED, JobState.FAILED):
            raise Refused("job_over", _("The job is over: there is nothing left to stop."))
        return present_job(job)
