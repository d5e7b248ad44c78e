"""What is done with all photos that a search finds: looked at first, then done, stopped, gone on with, taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.explorer import services
from labeling.explorer.bulk import selectors
from labeling.explorer.bulk.deeds import why
from labeling.explorer.models import Bulk, BulkPhoto, Deed
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.explorer import SearchIn
from labeling.gateway.api.shapes import Shape, like, paged
from labeling.gateway.pagination import page_by_id, page_by_time


class BulkIn(SearchIn):
    deed = serializers.ChoiceField(Deed.choices)
    comment = like(Bulk, "comment", default="", help_text="Why; send_back and unusable need it.")
    class_ = like(Bulk, "class_key", default="", help_text="Key of the class that gold is known to be.")


class FloodOut(Shape):
    answers = serializers.IntegerField(help_text="that come before everything else")
    days = serializers.FloatField(allow_null=True, help_text="at the pace of the last 7 days")


class BulkOut(Shape):
    id = serializers.UUIDField()
    deed = serializers.ChoiceField(Deed.choices)
    search = serializers.CharField()
    comment = serializers.CharField(allow_blank=True)
    class_ = serializers.CharField(allow_blank=True)
    stage = serializers.ChoiceField(Bulk.Stage.choices)
    stopped = serializers.BooleanField(help_text="In the midst of its stage: go on, or take it back.")
    error = serializers.CharField(allow_blank=True, help_text="Why it stopped, where it failed.")
    foreseen = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Photos by outcome: `done`, or why one would stay as it is.",
    )
    done = serializers.DictField(child=serializers.IntegerField())
    undone = serializers.DictField(child=serializers.IntegerField())
    flood = FloodOut(allow_null=True, help_text="Of `first`: what it holds up.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class BulkPhotoOut(Shape):
    id = serializers.IntegerField()
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    why = serializers.CharField()


def _present(bulk: Bulk) -> dict[str, Any]:
    def photos(counted: Json) -> dict[str, int]:
        return {code: each["n"] for code, each in counted.items()}

    flood = selectors.flood(bulk)
    return BulkOut.of(
        bulk,
        search=bulk.query,
        class_=bulk.class_key,
        error=bulk.job.said if bulk.job else "",
        foreseen=photos(bulk.foreseen),
        done=photos(bulk.done),
        undone=photos(bulk.undone),
        flood=flood and FloodOut.of(flood),
        created_by=bulk.created_by.username,
    )


def _present_photo(photo: BulkPhoto) -> dict[str, Any]:
    return BulkPhotoOut.of(
        photo,
        id=photo.item_id,
        sha256=photo.item.image.sha256,
        name=photo.item.name,
        code=photo.outcome,
        why=why(photo.outcome, photo.message),
    )


@route("projects/<slug:slug>/bulk", "api-bulks", "explorer")
class BulksView(ApiView):
    @endpoint(
        "list_bulk",
        "What was done with whole results, newest first",
        may=Action.REVIEW,
        returns=paged("BulkPage", BulkOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_time(selectors.bulks_of(project), request, _present, newest_first=True)

    @endpoint(
        "look_at_bulk",
        "Look, in the background, with how many photos a deed would be done and why others would stay as they are. Nothing "
        "is changed before you say so (go-on). `first` and `gold` are for admins",
        may=Action.REVIEW,
        takes=BulkIn,
        returns=BulkOut,
        status=201,
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        return _present(
            services.look(
                project=project,
                by=signed_in(request),
                deed=given["deed"],
                search=given["search"],
                comment=given["comment"],
                class_key=given["class"],
            )
        )


@route("projects/<slug:slug>/bulk/<uuid:bulk_id>", "api-bulk", "explorer")
class BulkView(ApiView):
    @endpoint("get_bulk", "How far it is", may=Action.REVIEW, returns=BulkOut)
    def get(self, request: Request, project: Project, bulk_id: UUID) -> Json:
        return _present(selectors.bulk_of(project, bulk_id))


@route("projects/<slug:slug>/bulk/<uuid:bulk_id>/photos", "api-bulk-photos", "explorer")
class BulkPhotosView(ApiView):
    @endpoint(
        "list_bulk_photos",
        "The photos that stayed as they were, each with the reason",
        may=Action.REVIEW,
        returns=paged("BulkPhotoPage", BulkPhotoOut),
    )
    def get(self, request: Request, project: Project, bulk_id: UUID) -> Json:
        left = selectors.photos_left(selectors.bulk_of(project, bulk_id))
        return page_by_id(left, request, _present_photo, key="item_id")


@route("projects/<slug:slug>/bulk/<uuid:bulk_id>/go-on", "api-bulk-go-on", "explorer")
class BulkGoOnView(ApiView):
    @endpoint(
        "go_on_with_bulk",
        "Do what was looked at, or go on with what was stopped; only for whoever asked",
        may=Action.REVIEW,
        returns=BulkOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, bulk_id: UUID) -> Json:
        return _present(services.go_on(project=project, bulk_id=bulk_id, by=signed_in(request)))


@route("projects/<slug:slug>/bulk/<uuid:bulk_id>/stop", "api-bulk-stop", "explorer")
class BulkStopView(ApiView):
    @endpoint("stop_bulk", "Stop it; what it has done stays done", may=Action.REVIEW, returns=BulkOut)
    def post(self, request: Request, project: Project, bulk_id: UUID) -> Json:
        return _present(services.stop(project=project, bulk_id=bulk_id, by=signed_in(request)))


@route("projects/<slug:slug>/bulk/<uuid:bulk_id>/take-back", "api-bulk-take-back", "explorer")
class BulkTakeBackView(ApiView):
    @endpoint(
        "take_back_bulk",
        "Take back what was done, each photo by itself, unless people have gone on from there",
        may=Action.REVIEW,
        returns=BulkOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, bulk_id: UUID) -> Json:
        return _present(services.take_back(project=project, bulk_id=bulk_id, by=signed_in(request)))
