"""Searches that a project keeps under names: everybody who may search sees them, and may change them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.explorer import services
from labeling.explorer.models import SavedView
from labeling.explorer.search.saving import view_of, views_of
from labeling.explorer.search.wanted import Wanted
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.explorer import SearchIn
from labeling.gateway.api.shapes import Shape, StrictSerializer, like


class ViewIn(SearchIn):
    name = like(SavedView, "name")


class ViewChangesIn(StrictSerializer):
    """Only what is sent changes."""

    name = like(SavedView, "name", required=False)
    search = serializers.CharField(max_length=2000, required=False)


class ViewOut(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    search = serializers.CharField(help_text="as in the address of `items`")
    created_by = serializers.CharField(help_text="who kept it last")
    created_at = serializers.DateTimeField()


class ViewsOut(Shape):
    results = ViewOut(many=True)


def _present(view: SavedView) -> dict[str, Any]:
    return ViewOut.of(view, search=view.query, created_by=view.created_by.get_username())


@route("projects/<slug:slug>/views", "api-views", "explorer")
class ViewsView(ApiView):
    @endpoint("list_views", "Searches that are kept, by name", may=Action.REVIEW, returns=ViewsOut)
    def get(self, request: Request, project: Project) -> Json:
        return {"results": [_present(view) for view in views_of(project).select_related("created_by")]}

    @endpoint(
        "keep_view",
        "Keep a search under a name. What had the name before says it no more",
        may=Action.REVIEW,
        takes=ViewIn,
        returns=ViewOut,
        status=201,
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        wanted = Wanted.read(project, given["search"])
        return _present(
            services.save_view(project=project, by=signed_in(request), name=given["name"], wanted=wanted)
        )


@route("projects/<slug:slug>/views/<int:view_id>", "api-view", "explorer")
class ViewView(ApiView):
    @endpoint("get_view", "A search that is kept", may=Action.REVIEW, returns=ViewOut)
    def get(self, request: Request, project: Project, view_id: int) -> Json:
        return _present(view_of(project, view_id))

    @endpoint(
        "change_view",
        "Give a kept search another name, or have the name say another search",
        may=Action.REVIEW,
        takes=ViewChangesIn,
        returns=ViewOut,
    )
    def patch(self, request: Request, project: Project, view_id: int, given: Json) -> Json:
        wanted = Wanted.read(project, given["search"]) if "search" in given else None
        return _present(
            services.change_view(project=project, view_id=view_id, name=given.get("name"), wanted=wanted)
        )

    @endpoint("forget_view", "Forget a kept search; no photo changes", may=Action.REVIEW)
    def delete(self, request: Request, project: Project, view_id: int) -> None:
        services.forget_view(project=project, view_id=view_of(project, view_id).pk)
