"""Erase photos, bring them back while it is time, and let one in again that was erased."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.erasure import selectors, services
from labeling.erasure.asking import MOST_DAYS
from labeling.erasure.models import Erasure, Scope
from labeling.erasure.scopes import MOST_NAMED
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.photos import items_named
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_time
from labeling.http.who_may import Who
from labeling.inspections.models import Asset

_HASH = r"^[0-9a-fA-F]{64}\Z"


class ErasureIn(StrictSerializer):
    scope = serializers.ChoiceField(["photos", "group", "source", "found", "project"])
    photos = serializers.ListField(
        child=serializers.RegexField(_HASH), max_length=MOST_NAMED, default=list, help_text="their SHA-256"
    )
    source_ = serializers.CharField(max_length=200, allow_blank=True, default="")
    query = serializers.CharField(
        max_length=4000, allow_blank=True, default="", help_text="parameters of `items`, as in its address"
    )
    reason = like(Erasure, "reason", help_text="Stays in the diary: name nobody in it.")
    days = serializers.IntegerField(
        min_value=0, max_value=MOST_DAYS, required=False, help_text="in which it can be undone"
    )


class ErasureOut(Shape):
    id = serializers.UUIDField()
    scope = serializers.ChoiceField(Scope.choices)
    source_ = serializers.CharField(allow_blank=True, help_text="empty once it is gone")
    reason = serializers.CharField()
    asked_by = serializers.CharField(
        allow_null=True, help_text="null: a time limit, or photos that had come back"
    )
    created_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="until then it can be undone")
    undone_at = serializers.DateTimeField(allow_null=True)
    gone_at = serializers.DateTimeField(allow_null=True)
    photos = serializers.IntegerField()
    looking = serializers.BooleanField(
        help_text="a job still looks for its other photos: all counts are of those that it found so far"
    )


class ErasureDetailOut(ErasureOut):
    answers = serializers.IntegerField(help_text="that stay as a record, as do:")
    ground_truths = serializers.IntegerField()
    decisions = serializers.IntegerField()
    models = serializers.ListField(
        child=serializers.IntegerField(), help_text="numbers of the versions that learned from some of them"
    )
    certificates = serializers.ListField(
        child=serializers.IntegerField(), help_text="ids of those that rest on some of them"
    )
    files_in_sources = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="watched sources where some of the files still lie, and how many: they are not Hilltop's to delete",
    )
    waits_for = serializers.ListField(
        child=serializers.CharField(), help_text="what stands in the way, if anything"
    )


class LiftIn(StrictSerializer):
    sha256 = serializers.RegexField(_HASH)


class AssetErasureIn(StrictSerializer):
    kind = like(Asset, "kind")
    identifier = like(Asset, "identifier")
    reason = like(Erasure, "reason", help_text="Stays in the diary: name nobody in it.")
    days = serializers.IntegerField(
        min_value=0, max_value=MOST_DAYS, required=False, help_text="in which its photos can be brought back"
    )


class AssetErasureOut(Shape):
    inspections = serializers.IntegerField()
    erasures = ErasureOut(many=True)


def _present(made: Erasure) -> Json:
    return ErasureOut.of(
        made,
        asked_by=made.asked_by.username if made.asked_by else None,
        photos=made.took.get("photos", 0),
        looking=made.looks_from is not None,
    )


def _in_full(made: Erasure) -> Json:
    took = made.took
    return _present(made) | {
        "answers": took.get("answers", 0),
        "ground_truths": took.get("truths", 0),
        "decisions": took.get("decisions", 0),
        "models": [number for number, _learned in took.get("models", [])],
        "certificates": [pk for pk, _class in took.get("certificates", [])],
        "files_in_sources": dict(took.get("files", [])),
        "waits_for": selectors.waits_for(made),
    }


@route("projects/<slug:slug>/erasures", "api-erasures", "erasure")
class ErasuresView(ApiView):
    @endpoint(
        "list_erasures",
        "What was asked to be erased, newest first",
        may=Action.ADMIN,
        returns=paged("ErasurePage", ErasureOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_time(selectors.erasures_of(project), request, _present, newest_first=True)

    @endpoint(
        "erase",
        "Erase photos: hidden at once, gone for good after some days",
        may=Action.ADMIN,
        takes=ErasureIn,
        returns=ErasureDetailOut,
        status=201,
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        made = services.ask(
            project=project,
            by=signed_in(request),
            scope=given["scope"],
            item_ids=items_named(project, given["photos"]),
            source=given["source"],
            query=given["query"],
            reason=given["reason"],
            days=given.get("days"),
        )
        return _in_full(selectors.erasure_of(project, made.pk))


@route("projects/<slug:slug>/erasures/<uuid:erasure_id>", "api-erasure", "erasure")
class ErasureView(ApiView):
    @endpoint(
        "get_erasure",
        "What it took, what stays of it, and what learned from it",
        may=Action.ADMIN,
        returns=ErasureDetailOut,
    )
    def get(self, request: Request, project: Project, erasure_id: UUID) -> Json:
        return _in_full(selectors.erasure_of(project, erasure_id))


@route("projects/<slug:slug>/erasures/<uuid:erasure_id>/undo", "api-erasure-undo", "erasure")
class ErasureUndoView(ApiView):
    @endpoint(
        "undo_erasure",
        "Bring its photos back as they were, while it is time",
        may=Action.ADMIN,
        returns=ErasureDetailOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, erasure_id: UUID) -> Json:
        services.undo(erasure=selectors.erasure_of(project, erasure_id), by=signed_in(request))
        return _in_full(selectors.erasure_of(project, erasure_id))


@route("assets/erasures", "api-erase-asset", "erasure")
class AssetErasureView(ApiView):
    @endpoint(
        "erase_asset",
        "Erase an asset: what it is called and what was said of it at once, its photos as those of each project",
        may=Who.SUPERUSER,
        takes=AssetErasureIn,
        returns=AssetErasureOut,
        status=201,
    )
    def post(self, request: Request, given: Json) -> Json:
        asset = Asset.objects.filter(kind=given["kind"], identifier=given["identifier"]).first()
        if asset is None:
            raise Http404(_("There is no such asset."))
        count, made = services.ask_for_asset(
            asset=asset, by=signed_in(request), reason=given["reason"], days=given.get("days")
        )
        return {"inspections": count, "erasures": [_present(each) for each in made]}


@route("projects/<slug:slug>/erasures/lift", "api-erasure-lift", "erasure")
class ErasureLiftView(ApiView):
    @endpoint("lift_erasure", "Let a photo in again that was erased", may=Action.ADMIN, takes=LiftIn)
    def post(self, request: Request, project: Project, given: Json) -> None:
        services.lift(project=project, sha256=given["sha256"], by=signed_in(request))
