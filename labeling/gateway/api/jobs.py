"""Background jobs: how far they are, how they ended, and stop. For admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, project_for
from labeling.gateway.api.base import ApiView, documented, paged
from labeling.gateway.pagination import page_by_time
from labeling.jobs import services
from labeling.jobs.models import Job, JobState
from labeling.refusals import Refused


class JobOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(JobState.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    message = serializers.CharField(allow_blank=True)
    result = serializers.JSONField(allow_null=True)
    error = serializers.CharField(allow_blank=True, help_text="What went wrong, and what to do.")
    requested_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    cancel_requested_at = serializers.DateTimeField(allow_null=True)


def present_job(job: Job) -> dict[str, Any]:
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "message": job.message,
        "result": job.result,
        "error": job.error,
        "requested_by": job.requested_by.get_username() if job.requested_by else None,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "cancel_requested_at": job.cancel_requested_at,
    }


def _job(project: Project, job_id: UUID) -> Job:
    job = Job.objects.of_project(project.pk).select_related("requested_by").filter(pk=job_id).first()
    if job is None:
        raise Http404(_("There is no such job in this project."))
    return job


class JobsView(ApiView):
    @documented("list_jobs", "Jobs, newest first", returns=paged("JobPage", JobOut), pages=True, tag="jobs")
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        jobs = Job.objects.of_project(project.pk).select_related("requested_by")
        return Response(page_by_time(jobs, request, present_job, newest_first=True))


class JobView(ApiView):
    @documented("get_job", "How a job stands", returns=JobOut, tag="jobs")
    def get(self, request: Request, slug: str, job_id: UUID) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        return Response(present_job(_job(project, job_id)))


class CancelView(ApiView):
    @documented(
        "cancel_job",
        "Ask a job to stop; 409 `job_over` when it has ended otherwise",
        returns=JobOut,
        errors=(409,),
        tag="jobs",
    )
    def post(self, request: Request, slug: str, job_id: UUID) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        job = services.cancel(job=_job(project, job_id))
        if job.state in (JobState.SUCCEEDED, JobState.FAILED):
            raise Refused("job_over", _("The job is over: there is nothing left to stop."))
        return Response(present_job(job))
