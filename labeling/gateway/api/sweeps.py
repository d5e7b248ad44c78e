"""Sweeps: a grid of photos that the model predicts as one class, of which the labeler marks those that are not.

Unlike the labeling loop it says what is predicted, so its answers are not blind. Which photos are planted gold it does
not say before the grid is handed in.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import ClassDefinition, Project
from labeling.catalog.permissions import Action, may
from labeling.catalog.selectors import active_definitions, current_guideline
from labeling.explorer.search.offering import open_photos
from labeling.explorer.search.wanted import Wanted
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import AnsweredClass, GuidelineRead, PhotoOut, present_photo
from labeling.gateway.api.shapes import Shape, StrictSerializer, like
from labeling.people.models import User
from labeling.queue.models import SweepHandIn
from labeling.queue.selectors import labeler_progress
from labeling.queue.sweeps import services as sweeps
from labeling.queue.sweeps.selectors import Grid, last_offered, sweep_state
from labeling.queue.sweeps.services import GRID, HandedIn, Mark, Over
from labeling.refusals import Refused
from labeling.truth.models import Annotation

KINDS = ("apart", "class", "hold", "unusable")


STATES = (
    "open", "off", "checklist", "no_model", "no_band", "no_gold", "paused", "gold_seen", "empty",
)  # fmt: skip


class SweepIn(StrictSerializer):
    class_ = AnsweredClass(
        help_text="The class to go on with, as long as it lasts; with `over`: what they look like."
    )
    over = serializers.CharField(
        max_length=2000,
        allow_blank=True,
        default="",
        help_text="Reviewers and admins: of the photos that these filters find, as in the address of `items`.",
    )


class SweepPhotoOut(Shape):
    id = serializers.UUIDField(help_text="By which it is marked.")
    photo = PhotoOut()


class GridOut(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField(help_text="The class's name.")
    expires_at = serializers.DateTimeField(allow_null=True)
    photos = SweepPhotoOut(many=True)
    class_ = serializers.CharField(
        help_text="What the model predicts all of them to be, or you said of them."
    )
    over = serializers.CharField(allow_blank=True, help_text="The filters that found them.")


class SweepProgressOut(Shape):
    answered_today = serializers.IntegerField()


class SweepOut(Shape):
    sweep = GridOut(allow_null=True)
    state = serializers.ChoiceField(STATES)
    message = serializers.CharField(help_text="Why there is no grid, and what to do.")
    guideline = serializers.IntegerField(
        help_text="Number of the version in force; read it before you go on."
    )
    progress = SweepProgressOut()


class MarkIn(StrictSerializer):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(
        KINDS,
        default="apart",
        help_text="apart: not this class, and no answer; people label it one at a time.",
    )
    reason = like(Annotation, "reason", default="")
    class_ = AnsweredClass()


class HandInIn(StrictSerializer):
    key = serializers.UUIDField(help_text="Yours, new for each hand-in: sending it again changes nothing.")
    marks = MarkIn(many=True, max_length=2 * GRID)  # type: ignore[call-arg]  # of a list
    shown_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    view_ms = like(SweepHandIn, "view_ms", help_text="For the whole grid.")
    guideline = GuidelineRead()


class MissedOut(Shape):
    id = serializers.UUIDField()
    photo = PhotoOut()
    name = serializers.CharField(help_text="The name of the class that it is known to be.")


class HandInOut(Shape):
    key = serializers.UUIDField()
    counts = serializers.BooleanField(help_text="false: a planted photo was missed; the photos go back.")
    kept = serializers.IntegerField(help_text="Photos that were not marked.")
    marked = serializers.IntegerField()
    gone = serializers.IntegerField(help_text="Photos whose loan had run out: others have them.")
    undo_until = serializers.DateTimeField(allow_null=True)
    missed = MissedOut(many=True)


class SweepUndoIn(StrictSerializer):
    key = serializers.UUIDField(help_text="Of the hand-in.")


class SweepUndoOut(Shape):
    sweep = GridOut()


def _names(project: Project) -> dict[int, ClassDefinition]:
    return {each.label_class_id: each for each in active_definitions(project)}


def _present(project: Project, grid: Grid) -> dict[str, Any]:
    definition = _names(project).get(grid.sweep.label_class_id)
    return GridOut.of(
        grid.sweep,
        class_=definition.label_class.key if definition else "",
        name=definition.name if definition else "",
        expires_at=min((slot.expires_at for slot in grid.slots), default=None),
        photos=[SweepPhotoOut.of(each, photo=present_photo(each.item.image)) for each in grid.photos],
    )


def _over(project: Project, labeler: User, search: str, class_key: str) -> Over:
    """Raises :class:`PermissionDenied` for who may not search, and :class:`Refused` ``invalid`` (422)."""
    if not may(labeler, project, Action.REVIEW):
        raise PermissionDenied(
            _("Only reviewers and admins choose photos by a search. Leave the filters out.")
        )
    if class_key not in {each.label_class.key for each in active_definitions(project)}:
        raise Refused.invalid("class", _("Choose a class."))
    wanted = Wanted.read(project, search, field="over")
    after = last_offered(labeler, project, wanted.query)
    return Over(wanted.query, class_key, open_photos(project, labeler, wanted, after=after))


def _present_hand_in(project: Project, done: HandedIn) -> dict[str, Any]:
    names = _names(project)
    return {
        "key": str(done.hand_in.key),
        "counts": done.hand_in.counts,
        **done.counts,
        "undo_until": done.undo_until,
        "missed": [
            {
                "id": str(photo.pk),
                "photo": present_photo(photo.item.image),
                "name": names[photo.known_id].name if photo.known_id in names else "",
            }
            for photo in done.missed
        ],
    }


@route("projects/<slug:slug>/sweeps", "api-sweeps", "labeling")
class SweepsView(ApiView):
    @endpoint(
        "claim_sweep",
        "Borrow a grid of one predicted class, or of what filters find, or get the one on loan again",
        may=Action.LABEL,
        takes=SweepIn,
        returns=SweepOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        labeler = signed_in(request)
        over = _over(project, labeler, given["over"], given["class"]) if given["over"] else None
        grid = sweeps.claim_sweep(project=project, labeler=labeler, prefer=given["class"], over=over)
        state = (
            sweep_state(project, labeler, over=over is not None)
            if grid is None
            else {"state": "open", "message": ""}
        )
        return {
            "sweep": _present(project, grid) if grid is not None else None,
            **state,
            "guideline": current_guideline(project).number,
            "progress": {"answered_today": labeler_progress(project, labeler)["answered_today"]},
        }


@route("projects/<slug:slug>/sweeps/<uuid:sweep_id>/hand-in", "api-sweep-hand-in", "labeling")
class SweepHandInView(ApiView):
    @endpoint(
        "hand_in_sweep",
        "Hand a grid in; 200 when this key was stored before",
        may=Action.LABEL,
        takes=HandInIn,
        returns=HandInOut,
        status=201,
        also={200: HandInOut},
        errors=(409,),
    )
    def post(self, request: Request, project: Project, sweep_id: UUID, given: Json) -> Json | Response:
        fields = given
        done = sweeps.hand_in(
            project=project,
            labeler=signed_in(request),
            sweep_id=sweep_id,
            key=fields["key"],
            marks={
                each["id"]: Mark(kind=each["kind"], class_key=each["class"], reason=each["reason"])
                for each in fields["marks"]
            },
            shown_at=fields["shown_at"],
            view_ms=fields["view_ms"],
            guideline=fields["guideline"],
        )
        return Response(_present_hand_in(project, done), status=201 if done.created else 200)


@route("projects/<slug:slug>/sweeps/<uuid:sweep_id>/undo", "api-sweep-undo", "labeling")
class SweepUndoView(ApiView):
    @endpoint(
        "take_back_sweep",
        "Take a hand-in back; the grid is on loan to you again",
        may=Action.LABEL,
        takes=SweepUndoIn,
        returns=SweepUndoOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, sweep_id: UUID, given: Json) -> Json:
        grid = sweeps.take_back(
            project=project, labeler=signed_in(request), sweep_id=sweep_id, key=given["key"]
        )
        return {"sweep": _present(project, grid)}


@route("projects/<slug:slug>/sweeps/<uuid:sweep_id>/release", "api-sweep-release", "labeling")
class SweepReleaseView(ApiView):
    @endpoint("release_sweep", "Give a grid back unanswered", may=Action.LABEL, errors=(409,))
    def post(self, request: Request, project: Project, sweep_id: UUID) -> None:
        sweeps.release_sweep(project=project, labeler=signed_in(request), sweep_id=sweep_id)
