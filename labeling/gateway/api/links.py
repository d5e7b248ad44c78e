"""Links by which somebody without an account photographs one asset: for reviewers."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_time
from labeling.inspections import services
from labeling.inspections.capture import links
from labeling.inspections.models import Asset, CaptureLink, Protocol


class LinkIn(StrictSerializer):
    identifier = like(Asset, "identifier", help_text="Plate or number of the asset.")
    type = like(Asset, "type", required=False)
    event = like(CaptureLink, "event")
    site = like(CaptureLink, "site", required=False)
    photographer = like(CaptureLink, "photographer", required=False)
    expires_at = serializers.DateTimeField(help_text=f"Within {links.LONGEST.days} days.")


class LinkOut(Shape):
    id = serializers.UUIDField()
    address = serializers.CharField(help_text="Whoever has it may send photos until it ends.")
    identifier = serializers.CharField()
    event = serializers.CharField()
    site = serializers.CharField(allow_blank=True)
    photographer = serializers.CharField(allow_blank=True)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    inspection = serializers.IntegerField(allow_null=True, help_text="null: no photo has come yet")


def _present(request: Request) -> Any:
    def present(link: CaptureLink) -> dict[str, Any]:
        address = request.build_absolute_uri(reverse("capture", args=[links.token_of(link)]))
        return LinkOut.of(
            link,
            address=address,
            identifier=link.asset.identifier,
            created_by=link.created_by.username,
            inspection=link.inspection_id,
        )

    return present


@route("protocols/<slug:protocol>/links", "api-capture-links", "inspections")
class LinksView(ApiView):
    throttle_scope = "intake"

    @endpoint(
        "list_capture_links",
        "Links of a protocol, newest first",
        may=Action.OVERRULE,
        returns=paged("CaptureLinkPage", LinkOut),
    )
    def get(self, request: Request, protocol: Protocol) -> Json:
        return page_by_time(links.links_of(protocol), request, _present(request), newest_first=True)

    @endpoint(
        "make_capture_link",
        "A link by which somebody without an account photographs one asset",
        may=Action.OVERRULE,
        takes=LinkIn,
        returns=LinkOut,
        status=201,
        errors=(429,),
    )
    def post(self, request: Request, protocol: Protocol, given: Json) -> Json:
        made: Json = _present(request)(services.make_link(protocol=protocol, by=signed_in(request), **given))
        return made


@route("links/<uuid:link_id>", "api-capture-link", "inspections")
class LinkView(ApiView):
    @endpoint("revoke_capture_link", "End a link at once. What was sent stays", may=Action.OVERRULE)
    def delete(self, request: Request, link: CaptureLink) -> None:
        services.revoke_link(link=link, by=signed_in(request))
