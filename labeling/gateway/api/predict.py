"""Photos are sent, and what the champion says of them comes back. Nothing is kept of them."""

from __future__ import annotations

import hashlib
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.frontier.standing import StandsUnder
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import Sha256
from labeling.gateway.api.shapes import Shape, StrictSerializer
from labeling.gateway.parsers import StrictJSONParser
from labeling.gateway.sent_paths import SentPathsParser
from labeling.serving.predicting import MOST_PHOTOS, Prediction, predict
from labeling.serving.selectors import shadow_of
from labeling.serving.services import set_shadow


class PredictIn(StrictSerializer):
    """Photos, hashes of photos that the project holds, or both."""

    photos = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        max_length=MOST_PHOTOS,
        help_text=f"Multipart parts, {MOST_PHOTOS} at most, with the hashes.",
    )
    sha256 = serializers.ListField(child=Sha256(), required=False, max_length=MOST_PHOTOS)

    def to_internal_value(self, data: Any) -> Any:
        """Multipart input as the plain dict that JSON gives; both names may come several times."""
        if hasattr(data, "getlist"):
            data = {name: data.getlist(name) for name in data}
        return super().to_internal_value(data)


class HashesIn(StrictSerializer):
    """JSON cannot carry files. Only for the schema; :class:`PredictIn` reads both."""

    sha256 = serializers.ListField(child=Sha256(), max_length=MOST_PHOTOS)


class PredictErrorOut(Shape):
    code = serializers.CharField(
        help_text="why the photo cannot be read, as intake says it; `not_here`, of a hash"
    )
    message = serializers.CharField()


class PredictionOut(Shape):
    sha256 = serializers.CharField()
    error = PredictErrorOut(allow_null=True)
    version = serializers.IntegerField(allow_null=True, help_text="number of the model version that says so")
    scores = serializers.DictField(child=serializers.FloatField(), help_text="class key → probability")
    class_ = serializers.CharField(allow_blank=True, help_text="the most probable")
    confidence = serializers.FloatField(allow_null=True, help_text="top probability minus the second")
    band = serializers.IntegerField(
        allow_null=True,
        help_text="by the order of today: 1 is the outermost; null where there is no order by this version",
    )
    certified = serializers.BooleanField(
        help_text="a certificate in force speaks of this version, class and confidence, and of photos like these"
    )
    reason = serializers.CharField(
        allow_blank=True,
        help_text="why not: no_certificate, outside (of what is certified), audits_wait, only_the_pool (the version may "
        "have learned elsewhere: it is certified of no photo that came later), unlike_the_pool or not_looked_at (what came "
        "in lately differs from what was certified, or is still to be compared, or nothing came in)",
    )
    promise = serializers.ChoiceField(StandsUnder.choices, allow_blank=True)
    stated = serializers.FloatField(allow_null=True, help_text="precision that is stated of that promise")


class PredictOut(Shape):
    photos = PredictionOut(many=True, help_text="those that were sent, then the hashes, in their order")


class ShadowIn(StrictSerializer):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, allow_null=True)


class ShadowOut(Shape):
    version = serializers.IntegerField(
        allow_null=True, help_text="number of the challenger; null: none answers"
    )


@route("projects/<slug:slug>/predict", "api-predict", "models")
class PredictView(ApiView):
    parser_classes = (StrictJSONParser, SentPathsParser)
    throttle_scope = "predict"

    @endpoint(
        "predict",
        "What the champion says of photos: scores, class, band, and whether that is certified. They are kept nowhere and "
        "decide nothing; one that cannot be read stops no other. Where the prediction service is away: 503",
        may=Action.PREDICT,
        takes={"multipart/form-data": PredictIn, "application/json": HashesIn},
        returns=PredictOut,
        errors=(409, 413, 429, 503),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        sent = [each.read() for each in given.get("photos", [])]
        found = predict(
            project=project,
            sent=[(hashlib.sha256(data).hexdigest(), data) for data in sent],
            hashes=given.get("sha256", []),
        )
        return {"photos": [_present(each) for each in found]}


def _present(each: Prediction) -> Json:
    error = {"code": each.error, "message": each.advice} if each.error else None
    proof = each.proof
    return PredictionOut.of(
        each,
        error=error,
        class_=each.label_class,
        band=None if each.band is None else each.band + 1,
        certified=proof.certified,
        reason="" if each.error else proof.reason,
        promise=proof.promise,
        stated=proof.stated,
    )


@route("projects/<slug:slug>/shadow", "api-shadow", "models")
class ShadowView(ApiView):
    @endpoint("get_shadow", "Which challenger answers in the shadow", may=Action.ADMIN, returns=ShadowOut)
    def get(self, request: Request, project: Project) -> Json:
        version = shadow_of(project)
        return {"version": version.number if version else None}

    @endpoint(
        "set_shadow",
        "Let a challenger answer in the shadow whatever is predicted, or none. Nobody is told what it says; the models page "
        "counts how often it agrees",
        may=Action.ADMIN,
        takes=ShadowIn,
        returns=ShadowOut,
        errors=(409,),
    )
    def put(self, request: Request, project: Project, given: Json) -> Json:
        version = set_shadow(project=project, by=signed_in(request), number=given["version"])
        return {"version": version.number if version else None}
