"""A model version taken out: its bundle is asked for, written by a worker, and fetched."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from rest_framework.request import Request

from labeling.catalog.activity import log_activity
from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.exchange.tables import sent
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint, file_of
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.serving.bundles import services

_ZIP = "application/zip"


@route("projects/<slug:slug>/bundle", "api-bundle", "models")
class BundleView(ApiView):
    throttle_scope = "export"
    throttled_methods = ("GET", "HEAD")

    @endpoint(
        "bundle",
        "The champion's bundle as one streamed zip: ONNX, calibration, thresholds, manifest and a script; 409 `not_made` "
        "until one was asked for and written",
        may=Action.ADMIN,
        also=file_of(_ZIP, "laid out for the registries of Hugging Face and MLflow"),
        errors=(409, 429),
    )
    def get(self, request: Request, project: Project) -> StreamingHttpResponse:
        made = services.readable(project)
        log_activity(
            project=project,
            kind="exported",
            actor=signed_in(request),
            what="bundle",
            format="ONNX",
            number=made.version,
            sha256=made.sha256,
        )
        filename = f"{project.slug}-v{made.version}.zip"
        return sent(request._request, made.pieces(), content_type=_ZIP, filename=filename)

    @endpoint(
        "make_bundle",
        "Write the champion's bundle anew, as a job (the one under way, if there is one)",
        may=Action.ADMIN,
        returns=JobOut,
        status=202,
        errors=(409,),
    )
    def post(self, request: Request, project: Project) -> Json:
        return present_job(services.request_bundle(project=project, by=signed_in(request)))
