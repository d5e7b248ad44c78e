"""What a protocol's inspections of the last days came to: the figures of its page."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route
from labeling.gateway.api.endpoint import Json, endpoint, one_of
from labeling.gateway.api.shapes import Shape
from labeling.inspections.models import Protocol, ProtocolVersion
from labeling.inspections.permissions import may_in
from labeling.inspections.process.figures import MOST, SPANS, Counted, figures

_SPANS = [str(days) for days in SPANS]


class CountedOut(Shape):
    n = serializers.IntegerField()
    passed = serializers.IntegerField()
    held = serializers.IntegerField()
    failed = serializers.IntegerField()
    undecided = serializers.IntegerField(help_text="without any verdict yet")
    straight = serializers.IntegerField(
        help_text="passed or failed, by the rules, and no person answered a part"
    )
    median = serializers.FloatField(
        allow_null=True, help_text="minutes to the first verdict that was none of held"
    )
    p95 = serializers.FloatField(allow_null=True)
    tries = serializers.IntegerField(help_text="photos that were sent")
    retakes = serializers.IntegerField(help_text="further photos of a shot")
    refused = serializers.IntegerField(help_text="photos that were not taken for their shot")
    within = serializers.IntegerField(help_text="with a verdict within the protocol's settle_within_hours")
    late = serializers.IntegerField(help_text="with one later, or still without one")


class DayOut(CountedOut):
    day = serializers.DateField()


class NamedOut(CountedOut):
    name = serializers.CharField(allow_blank=True)


class HeldForOut(Shape):
    shot = serializers.CharField(allow_blank=True, help_text="empty: all is known, see `why`")
    project = serializers.CharField(
        allow_null=True, help_text="whose question is open; null: the photo is missing"
    )
    why = serializers.CharField(
        allow_blank=True, help_text="`no_rule`: no rule decides what is known; `overruled`: a person holds it"
    )
    inspections = serializers.IntegerField()


class RefusedForOut(Shape):
    shot = serializers.CharField()
    fault = serializers.CharField()
    photos = serializers.IntegerField()


class FiguresOut(Shape):
    days = serializers.IntegerField()
    since = serializers.DateTimeField(help_text="from when on they are counted")
    cut = serializers.BooleanField(help_text=f"there were more than {MOST}: the newest are counted")
    unfinished = serializers.IntegerField(help_text="still being photographed; in no other figure")
    total = CountedOut()
    by_day = DayOut(many=True)
    by_site = NamedOut(many=True)
    by_version = NamedOut(many=True)
    by_photographer = NamedOut(many=True, allow_null=True, help_text="reviewers and admins; null to others")
    held_for = HeldForOut(many=True)
    faults = RefusedForOut(many=True)


def _counted(each: Counted, **named: Any) -> Json:
    return CountedOut.of(each) | named


@route("protocols/<slug:protocol>/figures", "api-protocol-figures", "inspections")
class ProtocolFiguresView(ApiView):
    @endpoint(
        "get_protocol_figures",
        "What inspections of the last days came to",
        may=Action.FIGURES,
        returns=FiguresOut,
        parameters=[OpenApiParameter("days", str, enum=_SPANS, description="28 where it is not said.")],
    )
    def get(self, request: Request, protocol: Protocol) -> Json:
        found = figures(protocol, int(one_of(request, "days", _SPANS) or 28))
        numbers = dict(ProtocolVersion.objects.filter(protocol=protocol).values_list("pk", "number"))
        people = may_in(request.user, protocol, Action.OVERRULE)
        return {
            "days": found.days,
            "since": found.since,
            "cut": found.cut,
            "unfinished": found.unfinished,
            "total": _counted(found.total),
            "by_day": [_counted(each, day=day) for day, each in found.by_day],
            "by_site": [_counted(each, name=name) for name, each in found.by_site],
            "by_version": [_counted(each, name=str(numbers[pk])) for pk, each in found.by_version],
            "by_photographer": [_counted(each, name=name) for name, each in found.by_photographer]
            if people
            else None,
            "held_for": [
                {"shot": shot, "project": project or None, "why": why, "inspections": n}
                for shot, project, why, n in found.held_for
            ],
            "faults": [{"shot": shot, "fault": fault, "photos": n} for shot, fault, n in found.faults],
        }
