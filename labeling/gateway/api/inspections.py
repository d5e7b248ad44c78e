"""Inspections: an asset's photos of one occasion come in together; what became of each, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.calls_back import (
    CallBackOut,
    callback_field,
    deadline_field,
    present_call_back,
    wish_of,
)
from labeling.gateway.api.endpoint import Json, endpoint, number_in_path, one_of
from labeling.gateway.api.fields import moment
from labeling.gateway.api.shapes import FiniteFloat, Shape, StrictSerializer, like, numbers_of_form, paged
from labeling.gateway.pagination import page_by_time
from labeling.gateway.parsers import StrictJSONParser
from labeling.gateway.sent_paths import SentPathsParser
from labeling.inspections.models import Asset, Inspection, InspectionPhoto, Origin, Outcome, Protocol, Verdict
from labeling.inspections.process.service_level import due_at, is_overdue
from labeling.inspections.selectors import inspections_of, missing_among, photos_of
from labeling.inspections.services import Sent, add_photo, advice_on, record_inspection
from labeling.inspections.telling import Telling
from labeling.notify.services import call_back_on_inspection
from labeling.people.models import User
from labeling.refusals import Refused


class AssetIn(StrictSerializer):
    identifier = like(Asset, "identifier", help_text="A car's plate, a part's number.")
    type = like(Asset, "type", required=False)
    site = like(Asset, "site", required=False)


class SaidIn(StrictSerializer):
    external_id = like(
        Inspection, "external_id", help_text="Yours. What is sent again under it changes nothing."
    )
    asset = AssetIn()
    event = like(Inspection, "event", help_text="wash, return, hand-over, …")
    happened_at = serializers.DateTimeField(required=False, help_text="Without it, now.")
    site = like(Inspection, "site", required=False)
    photographer = like(Inspection, "photographer", required=False)
    metadata = serializers.DictField(
        child=serializers.JSONField(), required=False, help_text="name → text or number"
    )
    tilts = serializers.DictField(
        child=FiniteFloat(min_value=-180, max_value=180),
        required=False,
        help_text="key of the shot → degrees from level, as the camera said",
    )
    callback = callback_field()
    deadline = deadline_field()


class InspectionIn(StrictSerializer):
    """Beside ``inspection`` a file a shot, named by the shot's key."""

    inspection = SaidIn()

    def to_internal_value(self, data: Any) -> Any:
        files: list[tuple[str, File[bytes]]] = []
        if hasattr(data, "getlist"):
            sent = [(name, value) for name in data for value in data.getlist(name)]
            files = [
                (name, value) for name, value in sent if name != "inspection" and isinstance(value, File)
            ]
            texts = {
                name: value for name, value in sent if name == "inspection" or not isinstance(value, File)
            }
            data = texts | ({"inspection": _json(texts["inspection"])} if "inspection" in texts else {})
        return super().to_internal_value(data) | {"photos": files}


class PhotoIn(StrictSerializer):
    shot = serializers.CharField(max_length=40)
    photo = serializers.FileField(allow_empty_file=True)
    tilt = FiniteFloat(required=False, min_value=-180, max_value=180, help_text="Degrees from level.")

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(numbers_of_form(data, "tilt"))


class FaultOut(Shape):
    code = serializers.CharField()
    advice = serializers.CharField(help_text="for whoever takes it again, in the language that was asked for")


class InspectionPhotoOut(Shape):
    shot = serializers.CharField()
    number = serializers.IntegerField(help_text="1, and one more each time it is taken again")
    accepted = serializers.BooleanField()
    faults = FaultOut(many=True)
    sha256 = serializers.CharField(allow_null=True, help_text="null: erased")
    tilt = serializers.FloatField(allow_null=True)
    seen_as = serializers.CharField(
        allow_null=True,
        help_text="key of the shot that was recognised; null, too, for who is not told of the photo in the project of shots",
    )
    created_at = serializers.DateTimeField()


class VerdictOut(Shape):
    number = serializers.IntegerField()
    outcome = serializers.ChoiceField(Outcome.choices)
    name = serializers.CharField(help_text="as the protocol calls it")
    by = serializers.CharField(allow_null=True, help_text="who overruled; null: the rules")
    reason = serializers.CharField(allow_blank=True)
    bound = serializers.FloatField(
        allow_null=True,
        help_text="of the whole's precision, where machines decided and all that it rests on is told",
    )
    created_at = serializers.DateTimeField()


class AssetOut(Shape):
    kind = serializers.CharField()
    identifier = serializers.CharField()
    type = serializers.CharField(allow_blank=True)
    site = serializers.CharField(allow_blank=True)


class InspectionRowOut(Shape):
    id = serializers.IntegerField()
    protocol = serializers.CharField()
    version = serializers.IntegerField()
    external_id = serializers.CharField()
    asset = AssetOut()
    event = serializers.CharField()
    happened_at = serializers.DateTimeField()
    site = serializers.CharField(allow_blank=True)
    photographer = serializers.CharField(allow_blank=True)
    metadata = serializers.DictField(child=serializers.JSONField())
    origin = serializers.ChoiceField(Origin.choices)
    created_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.ChoiceField(Outcome.choices, allow_null=True, help_text="null: no verdict yet")
    verdict = VerdictOut(allow_null=True)
    due_at = serializers.DateTimeField(
        allow_null=True, help_text="of a held one: until when it is to be settled, by the protocol"
    )


class InspectionOut(InspectionRowOut):
    photos = InspectionPhotoOut(many=True)
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="keys of required shots without a photo that serves"
    )


class InspectionRecordedOut(InspectionOut):
    callback = CallBackOut(allow_null=True)


@route("protocols/<slug:protocol>/inspections", "api-inspections", "inspections")
class InspectionsView(ApiView):
    parser_classes = (StrictJSONParser, SentPathsParser)
    throttle_scope = "inspections"

    @endpoint(
        "list_inspections",
        "Inspections, the newest first",
        may=Action.FIGURES,
        returns=paged("InspectionPage", InspectionRowOut),
        parameters=[
            OpenApiParameter("outcome", str, enum=Outcome.values),
            OpenApiParameter("site", str),
            OpenApiParameter("asset", str, description="Its identifier."),
            OpenApiParameter("event", str),
            OpenApiParameter("since", datetime, description="Happened then or later."),
            OpenApiParameter("until", datetime, description="Happened before."),
            OpenApiParameter(
                "overdue", str, enum=["yes"], description="Held beyond the time that the protocol gives."
            ),
        ],
    )
    def get(self, request: Request, protocol: Protocol) -> Json:
        rows = inspections_of(
            protocol,
            outcome=one_of(request, "outcome", Outcome.values),
            site=_text(request, "site"),
            asset=_text(request, "asset"),
            event=_text(request, "event"),
            since=moment(request, "since"),
            until=moment(request, "until"),
        )
        if one_of(request, "overdue", ["yes"]):
            rows = rows.filter(is_overdue(protocol))
        page = page_by_time(
            rows, request, lambda row: {"row": row}, newest_first=True, by=("happened_at", "pk")
        )
        found = [each["row"] for each in page["results"]]
        telling = Telling(found, signed_in(request))
        return page | {"results": [InspectionRowOut.of(each, **_row(each, telling)) for each in found]}

    @endpoint(
        "record_inspection",
        "Record an inspection with its photos. Each photo's faults are told; one that cannot be used stops nothing. With a "
        "`callback` that address is told once, when it is held no more",
        may=Action.OVERRULE,
        takes={"multipart/form-data": InspectionIn, "application/json": InspectionIn},
        returns=InspectionRecordedOut,
        status=201,
        also={200: InspectionRecordedOut, 201: InspectionRecordedOut},
        errors=(409, 413, 429),
    )
    def post(self, request: Request, protocol: Protocol, given: Json) -> Response:
        said, by = given["inspection"], signed_in(request)
        tilts: Mapping[str, float] = said.pop("tilts", {})
        wish = wish_of(said, by)
        recorded = record_inspection(
            protocol=protocol,
            by=by,
            photos=[Sent(shot, file, tilts.get(shot)) for shot, file in given["photos"]],
            **said,
        )
        called = None
        if wish is not None:
            called = present_call_back(
                call_back_on_inspection(wish=wish, by=by, inspection=recorded.inspection)
            )
        told = present_inspection(recorded.inspection, by) | {"callback": called}
        return Response(told, status=201 if recorded.created else 200)


@route("inspections/<int:inspection_id>/photos", "api-inspection-photos", "inspections")
class InspectionPhotosView(ApiView):
    parser_classes = (SentPathsParser,)
    throttle_scope = "inspections"

    @endpoint(
        "add_inspection_photo",
        "Send one more photo, as of a shot that was taken again. The same photo again changes nothing",
        may=Action.OVERRULE,
        takes={"multipart/form-data": PhotoIn},
        returns=InspectionPhotoOut,
        status=201,
        errors=(409, 413, 429),
        parameters=[number_in_path("inspection_id")],
    )
    def post(self, request: Request, inspection: Inspection, given: Json) -> Json:
        photo = add_photo(
            inspection=inspection,
            by=signed_in(request),
            shot=given["shot"],
            data=given["photo"],
            tilt=given.get("tilt"),
        )
        return present_photo(photo, Telling([inspection], signed_in(request)))


def present_photo(photo: InspectionPhoto, telling: Telling) -> dict[str, Any]:
    return InspectionPhotoOut.of(
        photo,
        shot=photo.shot.key,
        accepted=not photo.faults and photo.image_id is not None,
        faults=advice_on(photo),
        sha256=photo.sha256 or None,
        seen_as=photo.seen_as if photo.seen_as and telling.tells_recognised(photo) else None,
    )


def present_verdict(verdict: Verdict, telling: Telling) -> dict[str, Any]:
    return VerdictOut.of(
        verdict,
        name=verdict.version.name_of(verdict.outcome),
        by=verdict.by.get_username() if verdict.by else None,
        bound=verdict.bound if telling.tells_why(verdict) else None,
    )


def present_inspection(inspection: Inspection, user: User) -> dict[str, Any]:
    telling = Telling([inspection], user)
    photos = photos_of(inspection)
    return InspectionOut.of(
        inspection,
        **_row(inspection, telling),
        photos=[present_photo(photo, telling) for photo in photos],
        missing=missing_among(photos, inspection.version.shots.all()),
    )


def _row(inspection: Inspection, telling: Telling) -> dict[str, Any]:
    """What is not an attribute of the same name."""
    return {
        "protocol": inspection.protocol.slug,
        "version": inspection.version.number,
        "asset": AssetOut.of(inspection.asset),
        "outcome": inspection.outcome or None,
        "verdict": present_verdict(inspection.verdict, telling) if inspection.verdict else None,
        "due_at": due_at(inspection, inspection.protocol),
    }


def _json(sent: Any) -> Any:
    """A form's part, read as a body of JSON is."""
    raw = sent.read() if isinstance(sent, File) else str(sent).encode("utf-8", "surrogatepass")
    return StrictJSONParser().parse(BytesIO(raw))


def _text(request: Request, name: str) -> str | None:
    text = request.query_params.get(name)
    if text is not None and "\0" in text:
        raise Refused.invalid(name, _("This text cannot be looked for."))
    return text
