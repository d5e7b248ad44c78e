"""What a phone at the car sends by a link, which is the permission: nobody signs in, and nothing else is reached by it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.gateway.api.base import ApiView, route
from labeling.gateway.api.by_address import ByAddress
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import Shape, StrictSerializer
from labeling.gateway.sent_paths import SentPathsParser
from labeling.http.who_may import Who
from labeling.inspections.capture import links
from labeling.inspections.capture.state import state_of
from labeling.inspections.models import CaptureLink
from labeling.inspections.services import advice_on, hand_in, take_photo


class CaptureShotOut(Shape):
    key = serializers.CharField()
    accepted = serializers.BooleanField()
    advice = serializers.ListField(
        child=serializers.CharField(), help_text="On the newest photo, where none is accepted."
    )


class CaptureOut(Shape):
    expires_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    recognising = serializers.BooleanField(
        help_text="Soon a photo may turn out to show another shot: ask again in some seconds."
    )
    shots = CaptureShotOut(many=True)


class CapturePhotoIn(StrictSerializer):
    shot = serializers.CharField(max_length=40)
    photo = serializers.FileField(allow_empty_file=True)
    tilt = serializers.RegexField(
        r"^-?[0-9]{1,3}(\.[0-9]{1,6})?\Z", required=False, help_text="How far the horizon leans, in degrees."
    )
    key = serializers.UUIDField(help_text="Comes back with the answer. The same photo again changes nothing.")


class CapturePhotoOut(Shape):
    faults = serializers.ListField(child=serializers.CharField(), help_text="Empty: it is accepted.")
    advice = serializers.ListField(child=serializers.CharField())


class CaptureTakenOut(Shape):
    key = serializers.UUIDField()
    photo = CapturePhotoOut()
    state = CaptureOut()


class CaptureSubmitIn(StrictSerializer):
    key = serializers.UUIDField(help_text="Comes back with the answer.")


class CaptureSubmittedOut(Shape):
    key = serializers.UUIDField()
    state = CaptureOut()


class ByLink(ByAddress):
    """Of a view: the link is the permission. It is asked before anything that was sent is looked at."""

    parser_classes: Any = (SentPathsParser,)
    throttle_scope = "capture"
    id_of = staticmethod(links.id_of)
    link: CaptureLink

    def initial(self, request: Request, *args: Any, **named: Any) -> None:
        super().initial(request, *args, **named)  # type: ignore[misc]
        self.link = links.open_link(named["token"])


@route("capture/<str:token>", "api-capture", "inspections")
class CaptureView(ByLink, ApiView):
    @endpoint(
        "get_capture",
        "How the photos of a link stand",
        may=Who.ANYONE,
        returns=CaptureOut,
        errors=(404, 410),
    )
    def get(self, request: Request, token: str) -> Json:
        return state_of(self.link)


@route("capture/<str:token>/photos", "api-capture-photos", "inspections")
class CapturePhotosView(ByLink, ApiView):
    @endpoint(
        "send_capture_photo",
        "Send a photo of one shot. It is checked again, and the answer says what to do better",
        may=Who.ANYONE,
        takes={"multipart/form-data": CapturePhotoIn},
        returns=CaptureTakenOut,
        errors=(404, 409, 410, 413, 429),
    )
    def post(self, request: Request, token: str, given: Json) -> Json:
        tilt = given.get("tilt")
        photo = take_photo(
            link=self.link,
            shot=given["shot"],
            data=given["photo"],
            tilt=None if tilt is None else float(tilt),
        )
        advice = [each["advice"] for each in advice_on(photo)]
        return _told(given, self.link, photo={"faults": photo.faults, "advice": advice})


@route("capture/<str:token>/submit", "api-capture-submit", "inspections")
class CaptureSubmitView(ByLink, ApiView):
    @endpoint(
        "submit_capture",
        "All photos are sent. Again changes nothing",
        may=Who.ANYONE,
        takes={"multipart/form-data": CaptureSubmitIn},
        returns=CaptureSubmittedOut,
        errors=(404, 409, 410, 429),
    )
    def post(self, request: Request, token: str, given: Json) -> Json:
        hand_in(link=self.link)
        return _told(given, self.link)


def _told(given: Json, link: CaptureLink, **more: Any) -> Json:
    link.refresh_from_db(fields=["inspection"])
    return {"key": str(given["key"]), "state": state_of(link), **more}
