"""A classifier that was trained elsewhere comes in as ONNX: sent, tried on photos, taken."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import FiniteFloat, StrictSerializer
from labeling.gateway.sent_paths import SentPathsParser
from labeling.learning.importing import services
from labeling.learning.importing.services import LEAST_SIDE, LONGEST_LICENCE, MOST_SIDE


class ModelIn(StrictSerializer):
    model = serializers.FileField(
        allow_empty_file=True,
        help_text="ONNX in one file, photos in, a column a class out.",
    )
    preprocessor = serializers.FileField(
        required=False, allow_empty_file=True, help_text="Hugging Face's `preprocessor_config.json`."
    )


class _Three(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        super().__init__(child=FiniteFloat(), min_length=3, max_length=3, **options)


class TryIn(StrictSerializer):
    classes = serializers.ListField(
        child=serializers.CharField(max_length=80, allow_blank=True),
        max_length=10_000,
        help_text="Class key of each column, in their order; several may be one class, and an empty one is left out.",
    )
    size = serializers.IntegerField(
        min_value=LEAST_SIDE, max_value=MOST_SIDE, help_text="Side of the square that it takes, pixels."
    )
    resize = serializers.IntegerField(
        min_value=LEAST_SIDE,
        max_value=MOST_SIDE,
        required=False,
        help_text="Of a photo's shorter side before the square is cut out; by default the size.",
    )
    squash = serializers.BooleanField(
        default=False, help_text="Squeeze the photo into the square, cut nothing."
    )
    mean = _Three(help_text="Of red, green and blue, of values from 0 to 1.")
    std = _Three(help_text="Likewise.")
    interpolation = serializers.ChoiceField(["bilinear", "bicubic"], default="bilinear")
    says = serializers.ChoiceField(["auto", "logits", "probabilities"], default="auto")
    licence = serializers.CharField(max_length=LONGEST_LICENCE, allow_blank=True, default="")


@route("projects/<slug:slug>/models/import", "api-model-import", "models")
class ModelImportView(ApiView):
    parser_classes = (SentPathsParser,)
    throttle_scope = "train"

    @endpoint(
        "send_model",
        "Send a classifier that was trained elsewhere, as ONNX. A job looks at it: its `result` says what it `found`, what "
        "it proposes (`asked`), and where nothing is left open what the model says of some photos (`tried`)",
        may=Action.ADMIN,
        takes={"multipart/form-data": ModelIn},
        returns=JobOut,
        status=202,
        errors=(409, 413, 429),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        return present_job(services.send_model(project=project, by=signed_in(request), **given))


@route("projects/<slug:slug>/models/import/<uuid:job_id>/try", "api-model-import-try", "models")
class ModelTryView(ApiView):
    throttle_scope = "train"

    @endpoint(
        "try_model",
        "Try a model that was sent on photos of the project, as a job",
        may=Action.ADMIN,
        takes=TryIn,
        returns=JobOut,
        status=202,
        errors=(409, 429),
    )
    def post(self, request: Request, project: Project, job_id: UUID, given: Json) -> Json:
        look = services.look_of(project, job_id)
        return present_job(services.try_model(look=look, project=project, by=signed_in(request), **given))


@route("projects/<slug:slug>/models/import/<uuid:job_id>/take", "api-model-import-take", "models")
class ModelTakeView(ApiView):
    @endpoint(
        "take_model",
        "Make a model version of it, as this job tried it, as a job; the champion where there is none",
        may=Action.ADMIN,
        returns=JobOut,
        status=202,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, job_id: UUID) -> Json:
        look = services.look_of(project, job_id)
        return present_job(services.take_model(look=look, project=project, by=signed_in(request)))
