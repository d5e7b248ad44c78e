"""The photos of a project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Item, Project
from labeling.catalog.permissions import Action
from labeling.catalog.storage import VARIANTS, rendition
from labeling.gateway.api.base import ApiView, route
from labeling.gateway.api.endpoint import endpoint, file_of
from labeling.gateway.api.fields import PhotoOut, present_photo


class ItemOut(PhotoOut):
    name = serializers.CharField(allow_blank=True)
    source_ = serializers.CharField(allow_blank=True)
    added_at = serializers.DateTimeField()


def present_item(item: Item) -> dict[str, Any]:
    return ItemOut.of(item, **present_photo(item.image))


@route("projects/<slug:slug>/photos/<str:sha256>/<str:variant>.webp", "api-photo", "labeling")
class PhotoView(ApiView):
    """What the pages' photo address shows, for programs: that one knows sessions only."""

    @endpoint(
        "get_photo",
        "A photo of the project, as WebP",
        may=Action.VIEW,
        also=file_of("image/webp", "the rendition"),
        parameters=[OpenApiParameter("variant", str, OpenApiParameter.PATH, enum=list(VARIANTS))],
    )
    def get(self, request: Request, project: Project, sha256: str, variant: str) -> HttpResponse:
        item = item_named(project, sha256)
        if variant not in VARIANTS:
            raise Http404(_("There are these renditions: %(names)s.") % {"names": ", ".join(VARIANTS)})
        try:
            data = rendition(item.image, variant, project.decoded_with)
        except FileNotFoundError:
            raise Http404(
                _("The photo's file is missing from the storage. Take the photo in again.")
            ) from None
        response = HttpResponse(data, content_type="image/webp")
        response["Cache-Control"] = "private, max-age=3600"  # the address does not say which version it is of
        return response


def item_named(project: Project, sha256: str) -> Item:
    """The project's photo with this hash, or 404."""
    item = (
        None
        if "\0" in sha256
        else Item.objects.filter(project=project, image__sha256=sha256)
        .select_related("image", "metadata")
        .first()
    )
    if item is None:
        raise no_such_photo()
    return item


def no_such_photo() -> Http404:
    return Http404(_("This project holds no photo with this hash."))


def items_named(project: Project, hashes: Iterable[str]) -> list[int]:
    """Ids of the project's photos with these hashes, each once, in their order; or 404, naming those that it has not."""
    wanted = list(dict.fromkeys(each.lower() for each in hashes))
    known = Item.objects.filter(project=project, image__sha256__in=wanted)
    found = dict(known.values_list("image__sha256", "pk"))
    if strange := [each for each in wanted if each not in found]:
        raise Http404(
            _("No photo of this project has the SHA-256 %(hashes)s.") % {"hashes": ", ".join(strange[:3])}
        )
    return [found[each] for each in wanted]
