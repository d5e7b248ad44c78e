"""One photo is sent, and told who decides it."""

from __future__ import annotations

import hashlib

from django.core.files.base import File
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.frontier.sent_photos import decide_sent_photo
from labeling.frontier.standing import StandsUnder
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import Sha256
from labeling.gateway.api.frontier.decisions import DecisionOut, present_decision
from labeling.gateway.api.photos import no_such_photo
from labeling.gateway.api.shapes import Shape, StrictSerializer
from labeling.gateway.parsers import StrictJSONParser
from labeling.gateway.sent_paths import SentPathsParser
from labeling.refusals import Refused


class DecideIn(StrictSerializer):
    """One of them: the hash of a photo that the project holds, or a photo."""

    sha256 = Sha256(required=False)
    photo = serializers.FileField(required=False)
    promise = serializers.ChoiceField(
        [StandsUnder.STRICT.value],
        required=False,
        help_text="with `strict` only a label that people settled strictly is given; the machine decides nothing",
    )


class VerdictOut(Shape):
    sha256 = serializers.CharField()
    by = serializers.ChoiceField(["machine", "people", "queue"])
    reason = serializers.CharField(
        allow_blank=True,
        help_text="in the queue: off, shadow, no_model, no_certificate, not_scored, outside, with_people, overruled, "
        "unlike_the_pool or not_looked_at (it came after the plan, and differs or is still to be compared), "
        "audits_wait, new, not_strict (asked for a strict label: nobody is asked any more, as the machine decided it or an "
        "answer that agreed with it settled it); by people: class, hold, unusable",
    )
    promise = serializers.ChoiceField(
        StandsUnder.choices,
        allow_blank=True,
        help_text="which promise the label stands under; empty where there is none yet, and where people settled it from a "
        "grid, which is not blind",
    )
    stated = serializers.FloatField(
        allow_null=True,
        help_text="precision that is stated of that promise; null for strict labels, by which it is measured",
    )
    decision = DecisionOut(allow_null=True)
    class_ = serializers.CharField(allow_blank=True)


@route("projects/<slug:slug>/decide", "api-decide", "frontier")
class DecideView(ApiView):
    parser_classes = (StrictJSONParser, SentPathsParser)
    throttle_scope = "intake"

    @endpoint(
        "decide",
        "Who decides a photo: the machine now, if it lies inside the frontier, else people. A photo that is "
        "new is taken in (202): ask again by its sha256 when it has been scored. One that cannot be taken in is refused "
        "with the reason (422), at once or when you ask again. The answer says which promise the label stands under.",
        may=Action.DECIDE,
        takes={"application/json": DecideIn, "multipart/form-data": DecideIn},
        returns=VerdictOut,
        also={202: VerdictOut},
        errors=(409, 413, 429),
    )
    def post(self, request: Request, project: Project, given: Json) -> Response:
        if ("photo" in given) == ("sha256" in given):
            raise Refused.invalid(None, _("Send exactly one of: sha256, photo."))
        photo = given.get("photo")
        sha256 = _hash_of(photo) if photo is not None else given["sha256"]
        found = decide_sent_photo(
            project=project,
            by=signed_in(request),
            sha256=sha256,
            photo=photo,
            strict=given.get("promise") == StandsUnder.STRICT,
        )
        if found is None:
            raise no_such_photo()
        decision = present_decision(project, found.decision.pk) if found.decision else None
        told = VerdictOut.of(found, sha256=sha256, class_=found.label_class, decision=decision)
        return Response(told, status=202 if found.reason == "new" else 200)


def _hash_of(photo: File[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in photo.chunks():
        digest.update(chunk)
    photo.seek(0)
    return digest.hexdigest()
