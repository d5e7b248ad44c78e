"""Webhooks: who is told of which events, and what became of each."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint, number_in_path
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_id, page_by_time
from labeling.http.who_may import Who
from labeling.notify import selectors, services
from labeling.notify.kinds import CHOICES
from labeling.notify.models import Attempt, Channel, Delivery, DeliveryState, Endpoint, OffReason
from labeling.notify.unsubscribing import origin_of


class EndpointIn(StrictSerializer):
    name = like(Endpoint, "name", required=False, default="", allow_blank=True)
    url = like(
        Endpoint, "url", help_text="Where events are posted to; or an address of mail, or a channel of Slack."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(list(CHOICES)), allow_empty=False, max_length=100
    )


class EndpointChangeIn(StrictSerializer):
    name = like(Endpoint, "name", required=False)
    url = like(Endpoint, "url", required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(list(CHOICES)), allow_empty=False, max_length=100, required=False
    )
    on = serializers.BooleanField(required=False, help_text="Whether it is sent to. What waits is kept.")


class EndpointOut(Shape):
    id = serializers.UUIDField()
    project = serializers.CharField(
        allow_null=True, help_text="null: all projects; of calls back, those of its account"
    )
    name = serializers.CharField()
    kind = serializers.ChoiceField(Channel.choices)
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    on = serializers.BooleanField()
    off_reason = serializers.ChoiceField(OffReason.choices, allow_blank=True)
    failing_since = serializers.DateTimeField(allow_null=True, help_text="First attempt since one was taken.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class SecretOut(Shape):
    secret = serializers.CharField(help_text="Shown now, and never again. Empty for mail and Slack.")


class EndpointMadeOut(EndpointOut, SecretOut):
    pass


class AttemptOut(Shape):
    at = serializers.DateTimeField()
    ms = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="null: there was no answer")
    answer = serializers.CharField(allow_blank=True, help_text="Its first 500 bytes.")
    error = serializers.CharField(allow_blank=True)


class DeliveryOut(Shape):
    id = serializers.IntegerField()
    event = serializers.CharField(help_text="As `webhook-id` says.")
    type = serializers.CharField()
    subject = serializers.CharField()
    at = serializers.DateTimeField(help_text="when it happened")
    state = serializers.ChoiceField(DeliveryState.choices)
    next_at = serializers.DateTimeField(allow_null=True, help_text="when it is tried again, where it waits")
    delivered_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptOut(many=True)


ENDPOINTS = paged("EndpointPage", EndpointOut)


def _endpoint(found: Endpoint, **more: Any) -> dict[str, Any]:
    shape = EndpointMadeOut if more else EndpointOut
    return shape.of(
        found,
        project=found.project.slug if found.project else None,
        on=found.is_on,
        created_by=found.created_by.username,
        **more,
    )


def _delivery(found: Delivery) -> dict[str, Any]:
    log: list[Attempt] = list(found.log.all())
    return DeliveryOut.of(
        found,
        event=found.event.name,
        type=found.event.kind,
        at=found.event.at,
        next_at=found.next_at if found.state == DeliveryState.WAITING else None,
        attempts=[AttemptOut.of(each) for each in log],
    )


def _made(request: Request, project: Project | None, given: Json) -> Json:
    made, secret = services.make_endpoint(
        project=project, by=signed_in(request), site=origin_of(request), **given
    )
    return _endpoint(made, secret=secret)


@route("projects/<slug:slug>/endpoints", "api-endpoints", "webhooks")
class EndpointsView(ApiView):
    @endpoint(
        "list_endpoints",
        "Who is told of a project's events",
        may=Action.ADMIN,
        returns=ENDPOINTS,
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_time(selectors.endpoints_of(project), request, _endpoint)

    @endpoint(
        "make_endpoint",
        "Have an address told of events. Its secret signs them, and is shown this once",
        may=Action.ADMIN,
        takes=EndpointIn,
        returns=EndpointMadeOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        return _made(request, project, given)


@route("endpoints", "api-site-endpoints", "webhooks")
class SiteEndpointsView(ApiView):
    @endpoint(
        "list_site_endpoints",
        "Who is told of all projects' events",
        may=Who.SUPERUSER,
        returns=ENDPOINTS,
    )
    def get(self, request: Request) -> Json:
        return page_by_time(selectors.endpoints_of(None), request, _endpoint)

    @endpoint(
        "make_site_endpoint",
        "Have an address told of all projects' events",
        may=Who.SUPERUSER,
        takes=EndpointIn,
        returns=EndpointMadeOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, given: Json) -> Json:
        return _made(request, None, given)


@route("endpoints/<uuid:endpoint_id>", "api-endpoint", "webhooks")
class EndpointView(ApiView):
    @endpoint("get_endpoint", "How it goes", may=Action.ADMIN, returns=EndpointOut)
    def get(self, request: Request, endpoint: Endpoint) -> Json:
        return _endpoint(endpoint)

    @endpoint(
        "change_endpoint",
        "Change it, or switch it off and on. What is not named stays",
        may=Action.ADMIN,
        takes=EndpointChangeIn,
        returns=EndpointOut,
    )
    def patch(self, request: Request, endpoint: Endpoint, given: Json) -> Json:
        by, on = signed_in(request), given.pop("on", None)
        services.change_endpoint(endpoint=endpoint, by=by, **given)
        if on is not None:
            (services.switch_on if on else services.switch_off)(endpoint=endpoint, by=by)
        return _endpoint(endpoint)

    @endpoint("remove_endpoint", "Remove it, with what waits for it and its log", may=Action.ADMIN)
    def delete(self, request: Request, endpoint: Endpoint) -> None:
        services.remove_endpoint(endpoint=endpoint, by=signed_in(request))


@route("endpoints/<uuid:endpoint_id>/secret", "api-endpoint-secret", "webhooks")
class EndpointSecretView(ApiView):
    @endpoint(
        "renew_endpoint_secret",
        "Another secret, shown this once. For a day events are signed with both",
        may=Action.ADMIN,
        returns=SecretOut,
        errors=(409,),
    )
    def post(self, request: Request, endpoint: Endpoint) -> Json:
        return {"secret": services.renew_secret(endpoint=endpoint, by=signed_in(request))}


@route("endpoints/<uuid:endpoint_id>/test", "api-endpoint-test", "webhooks")
class EndpointTestView(ApiView):
    @endpoint(
        "test_endpoint",
        "Send `endpoint.test` to it. How that went is in its deliveries",
        may=Action.ADMIN,
        returns=DeliveryOut,
        status=202,
        errors=(409,),
    )
    def post(self, request: Request, endpoint: Endpoint) -> Json:
        sent = services.send_test(endpoint=endpoint)
        return _delivery(selectors.deliveries_of(endpoint).get(pk=sent.pk))


@route("endpoints/<uuid:endpoint_id>/deliveries", "api-deliveries", "webhooks")
class DeliveriesView(ApiView):
    @endpoint(
        "list_deliveries",
        "What became of each event, the oldest that is kept first, with every attempt",
        may=Action.ADMIN,
        returns=paged("DeliveryPage", DeliveryOut),
    )
    def get(self, request: Request, endpoint: Endpoint) -> Json:
        return page_by_id(selectors.deliveries_of(endpoint), request, _delivery)


@route("deliveries/<int:delivery_id>/replay", "api-delivery-replay", "webhooks")
class ReplayView(ApiView):
    @endpoint(
        "replay_delivery",
        "Send an event again, with the same `webhook-id`",
        may=Action.ADMIN,
        returns=DeliveryOut,
        status=202,
        parameters=[number_in_path("delivery_id")],
    )
    def post(self, request: Request, delivery: Delivery) -> Json:
        services.replay(delivery=delivery)
        return _delivery(selectors.deliveries_of(delivery.endpoint).get(pk=delivery.pk))
