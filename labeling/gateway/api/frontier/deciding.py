"""One photo is sent, and told who decides it."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, project_for
from labeling.frontier.deciding import DecidedBy
from labeling.frontier.sent_photos import decide_sent_photo
from labeling.frontier.standing import StandsUnder
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.calls_back import (
    CallBackOut,
    callback_field,
    deadline_field,
    present_call_back,
    wish_of,
)
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import Sha256
from labeling.gateway.api.frontier.decisions import DecisionOut, present_decision
from labeling.gateway.api.photos import no_such_photo
from labeling.gateway.api.shapes import Shape, StrictSerializer, numbers_of_form
from labeling.gateway.parsers import StrictJSONParser
from labeling.gateway.sent_paths import SentPathsParser
from labeling.gateway.waiting import LONGEST_S, seconds_to_wait, worth_waiting_for
from labeling.notify.services import call_back_on_photo
from labeling.people.models import User
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
    callback = callback_field()
    deadline = deadline_field()

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(numbers_of_form(data, "deadline"))


class DecidedOut(Shape):
    sha256 = serializers.CharField()
    by = serializers.ChoiceField(["machine", "people", "queue"])
    reason = serializers.CharField(
        allow_blank=True,
        help_text="in the queue: off, shadow, no_model, no_certificate, not_scored, outside, with_people, overruled, "
        "only_the_pool, unlike_the_pool or not_looked_at (it came after the plan, of which a version that may have learned "
        "elsewhere decides nothing, and differs or is still to be compared), "
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
    callback = CallBackOut(allow_null=True)


_WAIT = OpenApiParameter(
    "wait",
    {"type": "number", "minimum": 0, "maximum": LONGEST_S, "default": 0},
    description="Seconds to wait for a photo that is on its way (`new`, `not_scored`, `not_looked_at`). The answer comes as "
    "soon as it is known who decides it, and is as without `wait` where that is not known in time.",
)


@route("projects/<slug:slug>/decide", "api-decide", "frontier")
class DecideView(ApiView):
    parser_classes = (StrictJSONParser, SentPathsParser)
    throttle_scope = "intake"

    @endpoint(
        "decide",
        "Who decides a photo: the machine now, if it lies inside the frontier, else people. A photo that is "
        "new is taken in (202): ask again by its sha256 when it has been scored, or `wait` for it. One that cannot be taken "
        "in is refused with the reason (422), at once or when you ask again. The answer says which promise the label stands "
        "under. With a `callback` that address is told once it is decided, or known that it will not be.",
        may=Action.DECIDE,
        takes={"application/json": DecideIn, "multipart/form-data": DecideIn},
        returns=DecidedOut,
        also={202: DecidedOut},
        parameters=[_WAIT],
        errors=(409, 413, 429),
    )
    def post(self, request: Request, project: Project, given: Json) -> Response:
        seconds = seconds_to_wait(request)
        if ("photo" in given) == ("sha256" in given):
            raise Refused.invalid(None, _("Send exactly one of: sha256, photo."))
        photo, by, slug = given.get("photo"), signed_in(request), project.slug
        sha256 = _hash_of(photo) if photo is not None else given["sha256"]
        strict = given.get("promise") == StandsUnder.STRICT
        wish = wish_of(given, by)
        found = _found(project, by, sha256, strict, photo)
        called = None
        if wish is not None:
            called = present_call_back(
                call_back_on_photo(wish=wish, by=by, project=project, sha256=sha256, strict=strict)
            )
        answer = _answer(project, sha256, found, called)
        if not seconds or not found.is_on_its_way:
            return answer

        def ask() -> tuple[Response, bool]:
            # Whoever may no longer decide is told so, as if they asked now.
            now = project_for(User.objects.get(pk=by.pk), slug, Action.DECIDE)
            found = _found(now, by, sha256, strict)
            return _answer(now, sha256, found, called), not found.is_on_its_way

        return worth_waiting_for(answer, project_id=project.pk, user_id=by.pk, seconds=seconds, ask=ask)


def _found(
    project: Project, by: User, sha256: str, strict: bool, photo: File[bytes] | None = None
) -> DecidedBy:
    found = decide_sent_photo(project=project, by=by, sha256=sha256, photo=photo, strict=strict)
    if found is None:
        raise no_such_photo()
    return found


def _answer(project: Project, sha256: str, found: DecidedBy, called: Json | None) -> Response:
    decision = present_decision(project, found.decision.pk) if found.decision else None
    told = DecidedOut.of(found, sha256=sha256, class_=found.label_class, decision=decision, callback=called)
    return Response(told, status=202 if found.reason == "new" else 200)


def _hash_of(photo: File[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in photo.chunks():
        digest.update(chunk)
    photo.seek(0)
    return digest.hexdigest()
