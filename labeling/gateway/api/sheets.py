"""Question sheets: several projects' questions about one photo. Answers go to the projects' own `annotations`.

As blind as the labeling loop: nothing here tells why a photo is shown, or which of its questions is a check.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import PhotoOut, present_photo
from labeling.gateway.api.shapes import Shape, StrictSerializer, like
from labeling.http.who_may import Who
from labeling.people.models import User
from labeling.queue.models import QuestionSheet, Slot
from labeling.queue.selectors import notes_for
from labeling.queue.sheets import services as sheets
from labeling.queue.sheets.asking import left_out
from labeling.queue.sheets.permissions import actions_in, sheets_of
from labeling.queue.sheets.selectors import sheet_state


class Projects(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.CharField(max_length=60),
            min_length=sheets.FEWEST,
            max_length=sheets.MOST,
            help_text="Their addresses (slugs), in the order in which they are asked.",
            **options,
        )


class SheetIn(StrictSerializer):
    slug = like(QuestionSheet, "slug")
    name = like(QuestionSheet, "name")
    projects = Projects()


class SheetChangesIn(StrictSerializer):
    """Only what is sent changes."""

    name = like(QuestionSheet, "name", required=False)
    projects = Projects(required=False)


class SheetProjectOut(Shape):
    project = serializers.CharField()
    name = serializers.CharField()
    question = serializers.CharField()
    left_out = serializers.CharField(allow_blank=True, help_text="Why the sheet cannot ask it now.")


class SheetOut(Shape):
    slug = serializers.CharField()
    name = serializers.CharField()
    projects = SheetProjectOut(many=True)
    may_change = serializers.BooleanField()


class SheetsOut(Shape):
    results = SheetOut(many=True)


class SheetClaimIn(StrictSerializer):
    count = serializers.IntegerField(
        min_value=1,
        max_value=sheets.AT_ONCE,
        default=1,
        help_text="How many photos to hold by the sheet in all.",
    )


class SheetQuestionOut(Shape):
    project = serializers.CharField()
    lease = serializers.UUIDField()
    expires_at = serializers.DateTimeField()
    note = serializers.CharField(
        allow_blank=True, help_text="What a reviewer asks to look at, who sent this photo back."
    )
    sent_back = serializers.IntegerField(help_text="How many times reviewers sent it back.")


class SheetPhotoOut(Shape):
    photo = PhotoOut()
    questions = SheetQuestionOut(many=True)


class SheetClaimOut(Shape):
    photos = SheetPhotoOut(many=True)
    state = serializers.ChoiceField(["open", "empty", "paused", "preparing"])
    message = serializers.CharField()
    guidelines = serializers.DictField(
        child=serializers.IntegerField(), help_text="Project -> number of the version in force."
    )
    paused = serializers.ListField(
        child=serializers.CharField(), help_text="Projects in which labeling is paused for you: not asked."
    )


def _present(sheet: QuestionSheet, user: User) -> Json:
    reasons = {project.pk: reason for project, reason in left_out(sheet)}
    projects = [
        SheetProjectOut.of(each, project=each.slug, left_out=reasons.get(each.pk, ""))
        for each in sheet.projects
    ]
    return SheetOut.of(
        sheet, projects=projects, may_change=Action.ADMIN in (actions_in(user, sheet) or frozenset())
    )


def _present_question(slot: Slot, notes: dict[int, str]) -> Json:
    return SheetQuestionOut.of(
        slot,
        project=slot.project.slug,
        lease=slot.pk,
        note=notes.get(slot.item_id, ""),
        sent_back=slot.round - 1,
    )


@route("sheets", "api-sheets", "labeling")
class SheetsView(ApiView):
    @endpoint(
        "list_sheets",
        "The question sheets that you may answer, by name",
        may=Who.SIGNED_IN,
        returns=SheetsOut,
    )
    def get(self, request: Request) -> Json:
        user = signed_in(request)
        return {"results": [_present(each, user) for each in sheets_of(user)]}

    @endpoint(
        "make_sheet",
        "A new question sheet of projects that you are an admin of",
        may=Who.SIGNED_IN,
        takes=SheetIn,
        returns=SheetOut,
        status=201,
    )
    def post(self, request: Request, given: Json) -> Json:
        user = signed_in(request)
        return _present(sheets.create_sheet(by=user, **given), user)


@route("sheets/<slug:sheet>", "api-sheet", "labeling")
class SheetView(ApiView):
    @endpoint("get_sheet", "A question sheet", may=Action.LABEL, returns=SheetOut)
    def get(self, request: Request, sheet: QuestionSheet) -> Json:
        return _present(sheet, signed_in(request))

    @endpoint(
        "change_sheet",
        "Another name, or other projects in another order",
        may=Action.ADMIN,
        takes=SheetChangesIn,
        returns=SheetOut,
    )
    def patch(self, request: Request, sheet: QuestionSheet, given: Json) -> Json:
        user = signed_in(request)
        return _present(sheets.change_sheet(sheet=sheet, by=user, **given), user)

    @endpoint("remove_sheet", "Ask nobody by it any more; answers stay", may=Action.ADMIN)
    def delete(self, request: Request, sheet: QuestionSheet) -> None:
        sheets.archive_sheet(sheet=sheet, by=signed_in(request))


@route("sheets/<slug:sheet>/claims", "api-sheet-claims", "labeling")
class SheetClaimsView(ApiView):
    @endpoint(
        "claim_by_sheet",
        "Borrow photos, each with all of the sheet's questions that you may answer: hold up to `count`, oldest first",
        may=Action.LABEL,
        takes=SheetClaimIn,
        returns=SheetClaimOut,
        errors=(409,),
    )
    def post(self, request: Request, sheet: QuestionSheet, given: Json) -> Json:
        labeler = signed_in(request)
        claimed = sheets.claim_sheet(sheet=sheet, labeler=labeler, count=given["count"])
        photos = claimed.photos
        notes = notes_for([slot for photo in photos for slot in photo.slots])
        slugs = {each.pk: each.slug for each in sheet.projects}
        state = {"state": "open", "message": ""} if photos else sheet_state(sheet, labeler, claimed.paused)
        return {
            "photos": [
                {
                    "photo": present_photo(photo.image),
                    "questions": [_present_question(slot, notes) for slot in photo.slots],
                }
                for photo in photos
            ],
            **state,
            "guidelines": {slugs[pk]: number for pk, number in claimed.guidelines.items()},
            "paused": sorted(slugs[pk] for pk in claimed.paused),
        }
