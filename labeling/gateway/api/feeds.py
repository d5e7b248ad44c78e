"""Addresses from which a spreadsheet reads a table by itself: for admins; and what such an address gives."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.exchange.feeds import links
from labeling.exchange.models import Feed, Table
from labeling.exchange.tables import streamed
from labeling.frontier.standing import StandsUnder
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.by_address import ByAddress
from labeling.gateway.api.endpoint import Json, endpoint, file_of
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_time
from labeling.http.who_may import Who

#: After which it is worth another try, where others read the same table.
BUSY_S = 30


class FeedIn(StrictSerializer):
    name = like(Feed, "name")
    table = serializers.ChoiceField(Table.choices)
    columns = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=100, default=list, help_text="Empty: all."
    )
    promise = serializers.ChoiceField(StandsUnder.choices, allow_blank=True, default="")
    in_force = like(Feed, "in_force", default=True)
    expires_at = serializers.DateTimeField(help_text=f"Within {links.LONGEST.days} days.")


class FeedProlongedIn(StrictSerializer):
    expires_at = serializers.DateTimeField(help_text=f"Within {links.LONGEST.days} days.")


class FeedOut(Shape):
    id = serializers.UUIDField()
    address = serializers.URLField(help_text="Whoever has it may read the table until it ends.")
    name = serializers.CharField()
    table = serializers.ChoiceField(Table.choices)
    columns = serializers.ListField(child=serializers.CharField())
    promise = serializers.CharField(allow_blank=True)
    in_force = serializers.BooleanField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    fetched_at = serializers.DateTimeField(allow_null=True, help_text="null: never yet")


def _present(request: Request, feed: Feed) -> dict[str, Any]:
    address = request.build_absolute_uri(reverse("api-feed", args=[links.token_of(feed)]))
    return FeedOut.of(feed, address=address, created_by=feed.created_by.username)


@route("projects/<slug:slug>/feeds", "api-feeds", "truth")
class FeedsView(ApiView):
    throttle_scope = "export"

    @endpoint(
        "list_feeds",
        "Addresses of tables for spreadsheets, newest first",
        may=Action.ADMIN,
        returns=paged("FeedPage", FeedOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_time(
            links.feeds_of(project), request, lambda feed: _present(request, feed), newest_first=True
        )

    @endpoint(
        "make_feed",
        "An address from which a spreadsheet reads a table by itself, without an account, until it ends",
        may=Action.ADMIN,
        takes=FeedIn,
        returns=FeedOut,
        status=201,
        errors=(429,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        return _present(request, links.make_feed(project=project, by=signed_in(request), **given))


@route("projects/<slug:slug>/feeds/<uuid:feed_id>", "api-feed-one", "truth")
class FeedView(ApiView):
    @endpoint(
        "prolong_feed",
        "Let it go on, also one that has expired: its address stays the same",
        may=Action.ADMIN,
        takes=FeedProlongedIn,
        returns=FeedOut,
        errors=(409,),
    )
    def patch(self, request: Request, project: Project, feed_id: UUID, given: Json) -> Json:
        feed = links.feed_of(project, feed_id)
        return _present(request, links.prolong_feed(feed=feed, by=signed_in(request), **given))

    @endpoint("revoke_feed", "End it at once and for good", may=Action.ADMIN)
    def delete(self, request: Request, project: Project, feed_id: UUID) -> None:
        links.revoke_feed(feed=links.feed_of(project, feed_id), by=signed_in(request))


@route("feeds/<str:token>.csv", "api-feed", "truth")
class FeedTableView(ByAddress, ApiView):
    throttle_scope = "feed"
    throttled_methods = ("GET", "HEAD")
    id_of = staticmethod(links.id_of)

    @endpoint(
        "read_feed",
        "The table as it is now. The address is the permission, as far as whoever made it may",
        may=Who.ANYONE,
        also=file_of("text/csv", "with a header row", OpenApiTypes.STR),
        errors=(404, 410, 429),
    )
    def get(self, request: Request, token: str) -> StreamingHttpResponse:
        feed = links.open_feed(token)
        try:
            links.judge_room(feed)
        except links.FeedBusy:
            raise Throttled(wait=BUSY_S) from None
        return streamed(
            request._request,
            links.rows_of_feed(feed),
            columns=links.columns_of(feed),
            format="csv",
            filename=f"{feed.project.slug}-{feed.table}",
        )
