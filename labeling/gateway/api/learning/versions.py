"""A head that was trained elsewhere comes in as a challenger."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import StrictSerializer
from labeling.gateway.sent_paths import SentPathsParser
from labeling.learning.registering import register_head


class HeadIn(StrictSerializer):
    head = serializers.FileField(
        help_text="`head.safetensors`, as `inference.artifacts.save_head` writes it."
    )
    manifest = serializers.FileField(
        help_text="`manifest.json` beside it: `backbone_hash`, `dim`, `classes`, `weights_sha256` and `trained_on`, the "
        "SHA-256 of each photo of the project that it learned from."
    )


@route("projects/<slug:slug>/versions", "api-versions", "models")
class VersionsView(ApiView):
    parser_classes = (SentPathsParser,)
    throttle_scope = "train"

    @endpoint(
        "register_head",
        "Register a head that was trained elsewhere as a model version, as a job. It is judged on settled photos that it "
        "has not learned from, compared with the champion, and promoted by an admin or not at all",
        may=Action.ADMIN,
        takes={"multipart/form-data": HeadIn},
        returns=JobOut,
        status=202,
        errors=(409, 413, 429),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        return present_job(register_head(project=project, by=signed_in(request), **given))
