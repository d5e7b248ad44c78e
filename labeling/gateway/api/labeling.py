"""The labeling loop: borrow photos, answer, take back, skip. The hot path, and blind.

Nothing here tells why a photo was shown, what others or a model said of it, or whether its answer is known.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.permissions import Action, project_for
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, user_of
from labeling.gateway.api.fields import GuidelineRead, PhotoOut, present_photo
from labeling.queue import services as queue
from labeling.queue.models import Slot
from labeling.queue.selectors import labeler_progress, notes_for, queue_state
from labeling.truth.models import Annotation, AnswerKind
from labeling.truth.services import Answer

MOST_LEASES = 20


class ClaimIn(StrictSerializer):
    count = serializers.IntegerField(
        min_value=1, max_value=MOST_LEASES, default=1, help_text="How many photos to hold in all."
    )


class TaskOut(serializers.Serializer[Any]):
    lease = serializers.UUIDField()
    photo = PhotoOut()
    expires_at = serializers.DateTimeField()
    note = serializers.CharField(
        allow_blank=True, help_text="What a reviewer asks to look at, who sent this photo back."
    )


class LabelerProgressOut(serializers.Serializer[Any]):
    answered_today = serializers.IntegerField()
    settled_in_band = serializers.IntegerField(help_text="Photos settled in the present stage.")
    needed_in_band = serializers.IntegerField(allow_null=True, help_text="Photos that the stage needs.")


class ClaimOut(serializers.Serializer[Any]):
    tasks = TaskOut(many=True)
    state = serializers.ChoiceField(["open", "empty", "paused", "preparing"])
    message = serializers.CharField()
    progress = LabelerProgressOut()
    guideline = serializers.IntegerField(
        help_text="Number of the version in force: when it rises, read `guideline` anew."
    )


class AnswerIn(StrictSerializer):
    key = serializers.UUIDField(help_text="Yours, new for each answer: sending it again changes nothing.")
    lease = serializers.UUIDField()
    kind = serializers.ChoiceField(AnswerKind.choices)
    reason = serializers.CharField(max_length=12, required=False, allow_blank=True, default="")
    comment = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    checklist = serializers.ListField(
        child=serializers.CharField(max_length=300), max_length=30, required=False, default=list
    )
    shown_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    view_ms = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    guideline = GuidelineRead()

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        # "class" is a word of Python's own, so it cannot be declared as the others are.
        fields["class"] = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
        return fields


class AnswerOut(serializers.Serializer[Any]):
    key = serializers.UUIDField()
    undo_until = serializers.DateTimeField()
    kind = serializers.ChoiceField(AnswerKind.choices)
    reason = serializers.CharField(allow_blank=True)
    guideline = serializers.IntegerField(help_text="Number of the version that it counts under.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["class"] = serializers.CharField(allow_blank=True)
        return fields


class UndoOut(serializers.Serializer[Any]):
    task = TaskOut()


def present_task(slot: Slot, notes: dict[int, str] | None = None) -> dict[str, Any]:
    return {
        "lease": str(slot.pk),
        "photo": present_photo(slot.item.image),
        "expires_at": slot.expires_at,
        "note": (notes if notes is not None else notes_for([slot])).get(slot.item_id, ""),
    }


class ClaimsView(ApiView):
    @documented(
        "claim",
        "Borrow photos: hold up to `count`, oldest first",
        takes=ClaimIn,
        returns=ClaimOut,
        errors=(409,),
        tag="labeling",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.LABEL)
        labeler = user_of(request)
        given = ClaimIn(data=request.data)
        given.is_valid(raise_exception=True)
        claimed = queue.claim_under(project=project, labeler=labeler, count=given.validated_data["count"])
        slots = claimed.slots
        notes = notes_for(slots)
        state = {"state": "open", "message": ""} if slots else queue_state(project, labeler)
        return Response(
            {
                "tasks": [present_task(slot, notes) for slot in slots],
                "state": state["state"],
                "message": state["message"],
                "progress": labeler_progress(project, labeler),
                "guideline": claimed.guideline,
            }
        )


class AnnotationsPost:
    """The writing half of ``…/annotations``; reading it is an admin's, in :mod:`.truth`."""

    @documented(
        "answer",
        "Answer a photo on loan; 200 when this key was stored before",
        takes=AnswerIn,
        returns=AnswerOut,
        status=201,
        also={200: AnswerOut},
        errors=(409,),
        tag="labeling",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.LABEL)
        labeler = user_of(request)
        given = AnswerIn(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        stored = queue.submit(
            project=project,
            labeler=labeler,
            lease=fields["lease"],
            key=fields["key"],
            answer=Answer(
                kind=fields["kind"],
                class_key=fields["class"],
                reason=fields["reason"],
                comment=fields["comment"],
                checklist=tuple(fields["checklist"]),
            ),
            shown_at=fields["shown_at"],
            view_ms=fields["view_ms"],
            guideline=fields["guideline"],
        )
        annotation = stored.annotation
        # A new answer's class is the one that was just sent; only a replay has to look at what was stored.
        class_key = fields["class"] if stored.created else _class_key(annotation)
        return Response(
            {
                "key": str(annotation.key),
                "undo_until": stored.undo_until,
                "kind": annotation.kind,
                "class": class_key if annotation.kind == AnswerKind.CLASS else "",
                "reason": annotation.reason,
                "guideline": annotation.guideline.number,
            },
            status=201 if stored.created else 200,
        )


def _class_key(annotation: Annotation) -> str:
    return annotation.label_class.key if annotation.label_class else ""


class UndoView(ApiView):
    @documented(
        "undo",
        "Take an answer back; the photo is on loan to you again",
        returns=UndoOut,
        errors=(409,),
        tag="labeling",
    )
    def post(self, request: Request, slug: str, key: UUID) -> Response:
        project = project_for(request.user, slug, Action.LABEL)
        slot = queue.undo(project=project, labeler=user_of(request), key=key)
        return Response({"task": present_task(slot)})


class SkipView(ApiView):
    @documented("skip", "Not this photo, not for me", returns=None, status=204, errors=(409,), tag="labeling")
    def post(self, request: Request, slug: str, lease: UUID) -> Response:
        project = project_for(request.user, slug, Action.LABEL)
        queue.skip(project=project, labeler=user_of(request), lease=lease)
        return Response(status=204)


class UnskipView(ApiView):
    @documented(
        "unskip",
        "Take a skip back; the photo is on loan to you again",
        returns=UndoOut,
        errors=(409,),
        tag="labeling",
    )
    def post(self, request: Request, slug: str, lease: UUID) -> Response:
        project = project_for(request.user, slug, Action.LABEL)
        slot = queue.unskip(project=project, labeler=user_of(request), lease=lease)
        return Response({"task": present_task(slot)})


class ReleaseView(ApiView):
    @documented(
        "release", "Give a photo back unanswered", returns=None, status=204, errors=(409,), tag="labeling"
    )
    def post(self, request: Request, slug: str, lease: UUID) -> Response:
        project = project_for(request.user, slug, Action.LABEL)
        queue.release(project=project, labeler=user_of(request), lease=lease)
        return Response(status=204)
