"""The labeling loop: borrow photos, answer, take back, skip. The hot path, and blind.

Nothing here tells why a photo was shown, what others or a model said of it, or whether its answer is known.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import PhotoOut, present_photo
from labeling.gateway.api.shapes import Shape, StrictSerializer
from labeling.inspections.services import Earlier, show_earlier
from labeling.people.models import User
from labeling.queue import services as queue
from labeling.queue.models import Slot
from labeling.queue.selectors import labeler_progress, notes_for, queue_state


class ClaimIn(StrictSerializer):
    count = serializers.IntegerField(
        min_value=1,
        max_value=queue.MAX_LEASES,
        default=1,
        help_text="How many photos to hold in all: 32 at most, with `offline_seconds` more, if others have enough.",
    )
    offline_seconds = serializers.IntegerField(
        min_value=0,
        max_value=int(queue.MOST_OFFLINE.total_seconds()),
        default=0,
        help_text="For how long the photos shall stay on loan without another claim, beside the project's own time.",
    )
    back = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=queue.MAX_LEASES,
        default=list,
        help_text="Leases to give back unanswered before.",
    )


class TaskOut(Shape):
    lease = serializers.UUIDField()
    photo = PhotoOut()
    expires_at = serializers.DateTimeField()
    note = serializers.CharField(
        allow_blank=True, help_text="What a reviewer asks to look at, who sent this photo back."
    )
    sent_back = serializers.IntegerField(help_text="How many times reviewers sent it back.")


class LabelerProgressOut(Shape):
    answered_today = serializers.IntegerField()
    settled_in_band = serializers.IntegerField(help_text="Photos settled in the present stage.")
    needed_in_band = serializers.IntegerField(allow_null=True, help_text="Photos that the stage needs.")
    as_of = serializers.DateTimeField(
        help_text="When the stage was counted: late on purpose, so that no answer tells what another one was."
    )


class ClaimOut(Shape):
    tasks = TaskOut(many=True)
    state = serializers.ChoiceField(["open", "empty", "paused", "preparing"])
    message = serializers.CharField()
    progress = LabelerProgressOut()
    guideline = serializers.IntegerField(
        help_text="Number of the version in force: when it rises, read `guideline` anew."
    )
    order = serializers.CharField(
        allow_blank=True,
        help_text="With `offline_seconds`: changes when the queue is in another order. What nobody has looked at may "
        "then go `back`, for photos that come first now.",
    )


class UndoOut(Shape):
    task = TaskOut()


class EarlierPhotoOut(Shape):
    photo = PhotoOut()
    happened_at = serializers.DateTimeField(help_text="When that inspection was.")
    event = serializers.CharField()


class EarlierOut(Shape):
    earlier = EarlierPhotoOut(allow_null=True, help_text="Null where there is none that you may be shown.")


def present_task(slot: Slot, notes: dict[int, str] | None = None) -> dict[str, Any]:
    note = (notes if notes is not None else notes_for([slot])).get(slot.item_id, "")
    return TaskOut.of(
        slot, lease=slot.pk, photo=present_photo(slot.item.image), note=note, sent_back=slot.round - 1
    )


def present_earlier(found: Earlier | None) -> Json:
    return {"earlier": found and EarlierPhotoOut.of(found, photo=present_photo(found.image))}


def asked(given: Json) -> queue.Claiming:
    """A claim as :func:`labeling.queue.services.claim_under` takes it."""
    return {
        "count": given["count"],
        "offline": timedelta(seconds=given["offline_seconds"]),
        "back": given["back"],
    }


def present_claimed(project: Project, labeler: User, claimed: queue.Claimed) -> Json:
    slots = claimed.slots
    notes = notes_for(slots)
    state = {"state": "open", "message": ""} if slots else queue_state(project, labeler)
    return {
        "tasks": [present_task(slot, notes) for slot in slots],
        "state": state["state"],
        "message": state["message"],
        "progress": labeler_progress(project, labeler),
        "guideline": claimed.guideline,
        "order": claimed.order,
    }


@route("projects/<slug:slug>/claims", "api-claims", "labeling")
class ClaimsView(ApiView):
    @endpoint(
        "claim",
        "Borrow photos: hold up to `count`, oldest first",
        may=Action.LABEL,
        takes=ClaimIn,
        returns=ClaimOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        labeler = signed_in(request)
        return present_claimed(
            project, labeler, queue.claim_under(project=project, labeler=labeler, **asked(given))
        )


@route("projects/<slug:slug>/annotations/<uuid:key>/undo", "api-undo", "labeling")
class UndoView(ApiView):
    @endpoint(
        "undo",
        "Take an answer back; the photo is on loan to you again",
        may=Action.LABEL,
        returns=UndoOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, key: UUID) -> Json:
        slot = queue.undo(project=project, labeler=signed_in(request), key=key)
        return {"task": present_task(slot)}


@route("projects/<slug:slug>/leases/<uuid:lease>/skip", "api-skip", "labeling")
class SkipView(ApiView):
    @endpoint("skip", "Not this photo, not for me", may=Action.LABEL, errors=(409,))
    def post(self, request: Request, project: Project, lease: UUID) -> None:
        queue.skip(project=project, labeler=signed_in(request), lease=lease)


@route("projects/<slug:slug>/leases/<uuid:lease>/unskip", "api-unskip", "labeling")
class UnskipView(ApiView):
    @endpoint(
        "unskip",
        "Take a skip back; the photo is on loan to you again",
        may=Action.LABEL,
        returns=UndoOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, lease: UUID) -> Json:
        slot = queue.unskip(project=project, labeler=signed_in(request), lease=lease)
        return {"task": present_task(slot)}


@route("projects/<slug:slug>/leases/<uuid:lease>/release", "api-release", "labeling")
class ReleaseView(ApiView):
    @endpoint("release", "Give a photo back unanswered", may=Action.LABEL, errors=(409,))
    def post(self, request: Request, project: Project, lease: UUID) -> None:
        queue.release(project=project, labeler=signed_in(request), lease=lease)


@route("projects/<slug:slug>/leases/<uuid:lease>/earlier", "api-earlier", "labeling")
class EarlierView(ApiView):
    @endpoint(
        "show_earlier",
        "The asset's earlier photo of the same shot, to be shown beside; from then on your answer is not blind",
        may=Action.LABEL,
        returns=EarlierOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, lease: UUID) -> Json:
        return present_earlier(show_earlier(project=project, labeler=signed_in(request), lease=lease))
