"""What the monitors read, what they alerted to, and from which values on."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint, number_in_path
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import ModelInput, Shape, StrictSerializer, like
from labeling.monitors import services
from labeling.monitors.models import (
    AlertAcknowledgement,
    Monitor,
    MonitorAlert,
    MonitorReading,
    MonitorThresholds,
    ReadingState,
)
from labeling.monitors.selectors import MonitorCard, monitors_page


class ThresholdsIn(ModelInput):
    class Meta:
        model = MonitorThresholds
        fields = (*services.FIELDS, "reason")


class ThresholdsOut(serializers.ModelSerializer[Any]):
    class Meta:
        model = MonitorThresholds
        fields = read_only_fields = services.FIELDS


class ReadingOut(Shape):
    at = serializers.DateTimeField()
    state = serializers.ChoiceField(ReadingState.choices)
    value = serializers.FloatField(allow_null=True, help_text="of drift monitors: the p-value, adjusted")
    low = serializers.FloatField(allow_null=True, help_text="95 % interval")
    high = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)
    model = serializers.IntegerField(allow_null=True)
    figures = serializers.JSONField()


class AcknowledgementOut(Shape):
    by = serializers.CharField()
    note = serializers.CharField()
    at = serializers.DateTimeField()


class AlertOut(Shape):
    id = serializers.IntegerField()
    opened_at = serializers.DateTimeField()
    acknowledged = AcknowledgementOut(allow_null=True)


class MonitorOut(Shape):
    monitor = serializers.ChoiceField(Monitor.choices)
    says = serializers.CharField(allow_blank=True, help_text="empty before the first look")
    alert = AlertOut(allow_null=True, help_text="the one that is open")
    photos = serializers.ListField(
        child=serializers.CharField(), help_text="sha256 of those that drive the newest reading"
    )
    readings = ReadingOut(many=True, help_text="the newest, newest first")


class MonitorsOut(Shape):
    looked_at = serializers.DateTimeField(allow_null=True)
    looking = serializers.BooleanField()
    thresholds = ThresholdsOut()
    monitors = MonitorOut(many=True)


class AcknowledgeIn(StrictSerializer):
    note = like(AlertAcknowledgement, "note")


def _reading(reading: MonitorReading) -> dict[str, Any]:
    model = reading.model_version
    return ReadingOut.of(reading, model=model.number if model else None)


def _alert(card: MonitorCard) -> dict[str, Any] | None:
    if card.alert is None:
        return None
    return AlertOut.of(
        card.alert, acknowledged=_acknowledgement(card.acknowledged) if card.acknowledged else None
    )


def _acknowledgement(said: AlertAcknowledgement) -> dict[str, Any]:
    return AcknowledgementOut.of(said, by=said.by.get_username(), at=said.created_at)


@route("projects/<slug:slug>/monitors", "api-monitors", "monitoring")
class MonitorsView(ApiView):
    @endpoint(
        "get_monitors",
        "What the monitors read, with the alerts that are open",
        may=Action.OVERRULE,
        returns=MonitorsOut,
    )
    def get(self, request: Request, project: Project) -> Json:
        seen = monitors_page(project)
        return {
            "looked_at": seen.looked_at,
            "looking": seen.live is not None,
            "thresholds": ThresholdsOut(services.thresholds_of(project)).data,
            "monitors": [
                MonitorOut.of(
                    card,
                    monitor=card.spec.key.value,
                    says=card.finding if card.newest else "",
                    alert=_alert(card),
                    photos=[item.image.sha256 for item in card.photos],
                    readings=[_reading(each) for each in card.readings],
                )
                for card in seen.cards
            ],
        }

    @endpoint(
        "set_monitor_thresholds",
        "From which values on monitors alert",
        may=Action.ADMIN,
        takes=ThresholdsIn,
        returns=ThresholdsOut,
    )
    def patch(self, request: Request, project: Project, given: Json) -> Json:
        now = services.set_thresholds(project=project, by=signed_in(request), **given)
        return dict(ThresholdsOut(now).data)


@route("projects/<slug:slug>/monitors/look", "api-monitors-look", "monitoring")
class LookView(ApiView):
    throttle_scope = "train"

    @endpoint(
        "look_at_monitors",
        "Let all monitors look now, as a job",
        may=Action.ADMIN,
        returns=JobOut,
        status=202,
        errors=(429,),
    )
    def post(self, request: Request, project: Project) -> Json:
        job = services.request_monitoring(project=project, by=signed_in(request))
        return present_job(job)


@route(
    "projects/<slug:slug>/monitors/alerts/<int:alert_id>/acknowledge",
    "api-monitors-acknowledge",
    "monitoring",
)
class AcknowledgeView(ApiView):
    @endpoint(
        "acknowledge_alert",
        "Say what is done about an alert",
        may=Action.ADMIN,
        takes=AcknowledgeIn,
        returns=AcknowledgementOut,
        errors=(409,),
        parameters=[number_in_path("alert_id")],
    )
    def post(self, request: Request, project: Project, alert_id: int, given: Json) -> Json:
        alert = MonitorAlert.objects.filter(project=project, pk=alert_id).first()
        if alert is None:
            raise Http404(_("There is no such alert."))
        said = services.acknowledge(alert=alert, by=signed_in(request), note=given["note"])
        return _acknowledgement(said)
