"""Where whoever asks about one photo or inspection is called back, as it is said and told."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from labeling.gateway.api.endpoint import Json
from labeling.gateway.api.shapes import FiniteFloat, Shape, like
from labeling.notify.calling_back import Opened, Wish, check
from labeling.notify.models import CallBack
from labeling.people.models import User
from labeling.refusals import Refused


def callback_field() -> Any:
    return like(
        CallBack,
        "url",
        required=False,
        help_text="An https address that is told once, signed as webhooks are, when this is decided.",
    )


def deadline_field() -> Any:
    return FiniteFloat(
        required=False,
        help_text="Of the call back: seconds after which it tells that nothing is decided. Without it, the days for which "
        "events are kept.",
    )


class CallBackOut(Shape):
    url = serializers.CharField()
    endpoint = serializers.UUIDField(
        help_text="Of all calls back of this account: `endpoints/{id}/deliveries` tells what became of each."
    )
    until = serializers.DateTimeField()
    secret = serializers.CharField(
        allow_blank=True,
        help_text="Signs all calls back of this account. Shown with the first of them, and never again: "
        "`endpoints/{id}/secret` makes another.",
    )


def wish_of(given: Json, by: User) -> Wish | None:
    """Take it out of what was sent. Raises :class:`Refused` where it cannot be, before anything is done."""
    url, deadline = given.pop("callback", None), given.pop("deadline", None)
    if url is None:
        if deadline is not None:
            raise Refused.invalid(
                "deadline", _("A deadline is of a call back: send its address as callback.")
            )
        return None
    wish = Wish(url.strip(), deadline)
    check(wish, by)
    return wish


def present_call_back(opened: Opened) -> Json:
    call = opened.call_back
    return CallBackOut.of(call, endpoint=call.endpoint_id, secret=opened.secret)
