"""Photos whose answer is known, to be asked blind. For admins."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import PhotoOut, Sha256, present_photo
from labeling.gateway.api.photos import item_named
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_id
from labeling.truth.models import Gold
from labeling.truth.services import add_gold, retire_gold


class GoldIn(StrictSerializer):
    sha256 = Sha256()
    class_ = serializers.CharField(max_length=like(LabelClass, "key").max_length)


class GoldOut(Shape):
    photo = PhotoOut()
    added_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    retired_at = serializers.DateTimeField(allow_null=True)
    class_ = serializers.CharField()


def _present_gold(gold: Gold) -> dict[str, Any]:
    return GoldOut.of(
        gold,
        photo=present_photo(gold.item.image),
        class_=gold.label_class.key,
        added_by=gold.added_by.get_username(),
    )


@route("projects/<slug:slug>/gold", "api-golds", "truth")
class GoldsView(ApiView):
    @endpoint(
        "list_gold", "Photos whose answer is known", may=Action.ADMIN, returns=paged("GoldPage", GoldOut)
    )
    def get(self, request: Request, project: Project) -> Json:
        golds = Gold.objects.filter(project=project).select_related("item__image", "label_class", "added_by")
        return page_by_id(golds, request, _present_gold)

    @endpoint(
        "add_gold",
        "Declare a photo's answer known",
        may=Action.ADMIN,
        takes=GoldIn,
        returns=GoldOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        item = item_named(project, given["sha256"])
        gold = add_gold(project=project, item=item, class_key=given["class"], by=signed_in(request))
        return _present_gold(gold)


@route("projects/<slug:slug>/gold/<str:sha256>", "api-gold", "truth")
class GoldView(ApiView):
    @endpoint("retire_gold", "Ask this gold photo no more", may=Action.ADMIN, returns=GoldOut)
    def delete(self, request: Request, project: Project, sha256: str) -> Json:
        gold = Gold.objects.filter(item=item_named(project, sha256)).first()
        if gold is None:
            raise Http404(_("This photo is not gold."))
        return _present_gold(retire_gold(gold=gold, by=signed_in(request)))
