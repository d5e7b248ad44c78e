"""Folders and buckets that are watched: what is new there comes in by itself. For admins."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.file_counts import added_by_source
from labeling.catalog.models import Project, WatchedSource
from labeling.catalog.permissions import Action
from labeling.catalog.services import change_watch, look_now, unwatch, watch
from labeling.catalog.watched import name_of, source_of, watched_sources
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import Shape, StrictSerializer, like


class SourceIn(StrictSerializer):
    kind = like(WatchedSource, "kind")
    address = like(
        WatchedSource,
        "address",
        help_text="A folder that is open for intake, or an open bucket's name and folders in it.",
    )
    minutes = like(WatchedSource, "minutes", default=60, help_text="Between two looks.")
    referenced = serializers.BooleanField(
        default=False, help_text="Its photos stay in the bucket, and are not copied."
    )


class SourceChangesIn(StrictSerializer):
    paused = serializers.BooleanField(required=False)
    minutes = like(WatchedSource, "minutes", required=False)


class SourceOut(Shape):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(WatchedSource.Kind.choices)
    address = serializers.CharField()
    minutes = serializers.IntegerField()
    referenced = serializers.BooleanField()
    paused = serializers.BooleanField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    looked_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(allow_blank=True, help_text="of the last look")
    there = serializers.IntegerField(help_text="files, as of the last look that succeeded")
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    gone = serializers.IntegerField(help_text="photos that are here, and there no more")


class RemovedOut(Shape):
    id = serializers.IntegerField()
    address = serializers.CharField()
    removed_at = serializers.DateTimeField()
    photos = serializers.IntegerField(help_text="that came in by it; they stay")
    source_ = serializers.CharField(
        help_text="of its photos, by which `items` finds and `erasures` erases them"
    )


class SourcesOut(Shape):
    results = SourceOut(many=True)


def _present(source: WatchedSource) -> dict[str, Any]:
    return SourceOut.of(source, created_by=source.created_by.get_username(), error=source.said)


@route("projects/<slug:slug>/sources", "api-sources", "intake")
class SourcesView(ApiView):
    @endpoint("list_sources", "Sources that are watched, oldest first", may=Action.ADMIN, returns=SourcesOut)
    def get(self, request: Request, project: Project) -> Json:
        return {"results": [_present(each) for each in watched_sources(project)]}

    @endpoint(
        "watch_source",
        "Look at a folder or bucket from now on: what is new or changed comes in, what is gone is told",
        may=Action.ADMIN,
        takes=SourceIn,
        returns=SourceOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        return _present(watch(project=project, by=signed_in(request), **given))


@route("projects/<slug:slug>/sources/<int:source_id>", "api-source", "intake")
class SourceView(ApiView):
    @endpoint(
        "change_source",
        "Pause a source, let it go on, or look more often",
        may=Action.ADMIN,
        takes=SourceChangesIn,
        returns=SourceOut,
    )
    def patch(self, request: Request, project: Project, source_id: int, given: Json) -> Json:
        return _present(change_watch(source=source_of(project, source_id), by=signed_in(request), **given))

    @endpoint(
        "unwatch_source",
        "Remove a source: it is watched no more. Its photos stay; again it changes nothing",
        may=Action.ADMIN,
        returns=RemovedOut,
    )
    def delete(self, request: Request, project: Project, source_id: int) -> Json:
        source = unwatch(source=source_of(project, source_id, removed=True), by=signed_in(request))
        photos = added_by_source(project).get(source.pk, 0)
        return RemovedOut.of(source, photos=photos, source_=name_of(source))


@route("projects/<slug:slug>/sources/<int:source_id>/look", "api-source-look", "intake")
class SourceLookView(ApiView):
    throttle_scope = "intake"

    @endpoint(
        "look_at_source",
        "Look at a source now, as a job",
        may=Action.ADMIN,
        returns=JobOut,
        status=202,
        errors=(429,),
    )
    def post(self, request: Request, project: Project, source_id: int) -> Json:
        return present_job(look_now(source=source_of(project, source_id), by=signed_in(request)))
