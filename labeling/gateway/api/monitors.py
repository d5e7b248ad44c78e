"""What the monitors read, what they alerted to, and from which values on."""

from __future__ import annotations

from typing import Any

from django.db.models import FloatField
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.permissions import Action, project_for
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, user_of
from labeling.gateway.api.fields import FiniteFloat
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.monitors import services
from labeling.monitors.models import Monitor, MonitorAlert, MonitorReading, MonitorThresholds, ReadingState
from labeling.monitors.selectors import MonitorCard, monitors_page

_ALERT = OpenApiParameter("alert_id", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH)


class ThresholdsIn(StrictSerializer, serializers.ModelSerializer[Any]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        FloatField: FiniteFloat,
    }

    class Meta:
        model = MonitorThresholds
        fields = (*services.FIELDS, "reason")


class ThresholdsOut(serializers.ModelSerializer[Any]):
    class Meta:
        model = MonitorThresholds
        fields = read_only_fields = services.FIELDS


class ReadingOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    state = serializers.ChoiceField(ReadingState.choices)
    value = serializers.FloatField(allow_null=True, help_text="of drift monitors: the p-value, adjusted")
    low = serializers.FloatField(allow_null=True, help_text="95 % interval")
    high = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)
    model = serializers.IntegerField(allow_null=True)
    figures = serializers.JSONField()


class AcknowledgementOut(serializers.Serializer[Any]):
    by = serializers.CharField()
    note = serializers.CharField()
    at = serializers.DateTimeField()


class AlertOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    opened_at = serializers.DateTimeField()
    acknowledged = AcknowledgementOut(allow_null=True)


class MonitorOut(serializers.Serializer[Any]):
    monitor = serializers.ChoiceField(Monitor.choices)
    says = serializers.CharField(allow_blank=True, help_text="empty before the first look")
    alert = AlertOut(allow_null=True, help_text="the one that is open")
    photos = serializers.ListField(
        child=serializers.CharField(), help_text="sha256 of those that drive the newest reading"
    )
    readings = ReadingOut(many=True, help_text="the newest, newest first")


class MonitorsOut(serializers.Serializer[Any]):
    looked_at = serializers.DateTimeField(allow_null=True)
    looking = serializers.BooleanField()
    thresholds = ThresholdsOut()
    monitors = MonitorOut(many=True)


class AcknowledgeIn(StrictSerializer):
    note = serializers.CharField(max_length=300)


def _reading(reading: MonitorReading) -> dict[str, Any]:
    return {
        "at": reading.at,
        "state": reading.state,
        "value": reading.value,
        "low": reading.low,
        "high": reading.high,
        "threshold": reading.threshold,
        "model": reading.model_version.number if reading.model_version else None,
        "figures": reading.figures,
    }


def _alert(card: MonitorCard) -> dict[str, Any] | None:
    if card.alert is None:
        return None
    said = card.acknowledged
    return {
        "id": card.alert.pk,
        "opened_at": card.alert.opened_at,
        "acknowledged": {"by": said.by.get_username(), "note": said.note, "at": said.created_at}
        if said
        else None,
    }


class MonitorsView(ApiView):
    @documented(
        "get_monitors",
        "What the monitors read, with the alerts that are open",
        returns=MonitorsOut,
        tag="monitoring",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.OVERRULE)
        seen = monitors_page(project)
        return Response(
            {
                "looked_at": seen.looked_at,
                "looking": seen.live is not None,
                "thresholds": ThresholdsOut(services.thresholds_of(project)).data,
                "monitors": [
                    {
                        "monitor": card.spec.key.value,
                        "says": card.finding if card.newest else "",
                        "alert": _alert(card),
                        "photos": [each.item.image.sha256 for each in card.photos],
                        "readings": [_reading(each) for each in card.readings],
                    }
                    for card in seen.cards
                ],
            }
        )

    @documented(
        "set_monitor_thresholds",
        "From which values on monitors alert (admins)",
        takes=ThresholdsIn,
        returns=ThresholdsOut,
        tag="monitoring",
    )
    def patch(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = ThresholdsIn(data=request.data)
        given.is_valid(raise_exception=True)
        now = services.set_thresholds(project=project, by=user_of(request), **given.validated_data)
        return Response(ThresholdsOut(now).data)


class LookView(ApiView):
    throttle_scope = "train"

    @documented(
        "look_at_monitors",
        "Let all monitors look now, as a job (admins)",
        returns=JobOut,
        status=202,
        errors=(429,),
        tag="monitoring",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        job = services.request_monitoring(project=project, by=user_of(request))
        return Response(present_job(job), status=202)


class AcknowledgeView(ApiView):
    @documented(
        "acknowledge_alert",
        "Say what is done about an alert (admins)",
        takes=AcknowledgeIn,
        returns=AcknowledgementOut,
        errors=(409,),
        parameters=[_ALERT],
        tag="monitoring",
    )
    def post(self, request: Request, slug: str, alert_id: int) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = AcknowledgeIn(data=request.data)
        given.is_valid(raise_exception=True)
        alert = MonitorAlert.objects.filter(project=project, pk=alert_id).first()
        if alert is None:
            raise Http404(_("There is no such alert."))
        said = services.acknowledge(alert=alert, by=user_of(request), note=given.validated_data["note"])
        return Response({"by": said.by.get_username(), "note": said.note, "at": said.created_at})
