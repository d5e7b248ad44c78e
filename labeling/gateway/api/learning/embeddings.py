"""The feature store: vectors of photos by backbone and version, as of a moment. For admins, as scores are."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Item, Project
from labeling.catalog.permissions import Action
from labeling.gateway.api import arrow
from labeling.gateway.api.base import ApiView, route
from labeling.gateway.api.endpoint import Json, endpoint, file_of
from labeling.gateway.api.fields import moment
from labeling.gateway.api.learning.models import PartOut, version_asked_for
from labeling.gateway.api.photos import items_named
from labeling.gateway.api.shapes import PageShape, Shape
from labeling.gateway.pagination import page_searched
from labeling.learning.features import Features, features_of
from labeling.learning.vectors import numbers, vectors_of
from labeling.refusals import Refused

#: Photos that are asked for by their hashes in one address.
MOST_NAMED = 100

AS_OF = OpenApiParameter(
    "as_of",
    datetime,
    description="Only photos that were there by then, and the version that was in service then.",
)
VERSION = OpenApiParameter(
    "version", {"type": "integer", "minimum": 1}, description="Number of a model version."
)


class EmbeddingOut(Shape):
    sha256 = serializers.CharField()
    vector = serializers.ListField(child=serializers.FloatField())


class EmbeddingPage(PageShape):
    results = EmbeddingOut(many=True)
    version = serializers.IntegerField(
        allow_null=True, help_text="whose head takes these rows; null: one backbone's"
    )
    backbones = PartOut(many=True, help_text="whose vectors stand side by side in a row, in this order")


@route("projects/<slug:slug>/embeddings", "api-embeddings", "models")
class EmbeddingsView(ApiView):
    @endpoint(
        "list_embeddings",
        "Vectors of the project's photos, in the order in which these came in. Those of the champion's backbones, side by "
        "side, where no other is named. A page is short where photos are not embedded yet",
        may=Action.ADMIN,
        returns=EmbeddingPage(),
        also=file_of(arrow.CONTENT_TYPE, "columns `sha256` and `vector` (float32, of one length)"),
        parameters=[
            VERSION,
            OpenApiParameter(
                "backbone", str, description="Its name, as `models` and the project's settings say it."
            ),
            AS_OF,
            OpenApiParameter(
                "sha256", str, description=f"Of these photos only: {MOST_NAMED} at most, parted by commas."
            ),
            arrow.FORMAT_PARAMETER,
        ],
        errors=(409,),
    )
    def get(self, request: Request, project: Project) -> Json | HttpResponse:
        as_of = moment(request, "as_of")
        features = features_of(
            project,
            version=version_asked_for(request, project),
            backbone=request.query_params.get("backbone", ""),
            as_of=as_of,
        )
        named = _named(request, project)

        def fetch(after: int, limit: int) -> tuple[list[tuple[str, bytes]], int | None]:
            items = Item.objects.filter(project=project, pk__gt=after).order_by("pk")
            if named is not None:
                items = items.filter(pk__in=named)
            rows = list(items.values_list("pk", "image__sha256", "added_at")[: limit + 1])
            place = rows[limit - 1][0] if len(rows) > limit else None
            hashes = [sha256 for _pk, sha256, added in rows[:limit] if as_of is None or added <= as_of]
            found = vectors_of(features.parts, hashes)
            return [(sha256, found[sha256]) for sha256 in hashes if sha256 in found], place

        page = page_searched(request, fetch, present=lambda row: {"sha256": row[0], "vector": row[1]})
        if arrow.asks_for_arrow(request):
            return arrow.sent(_table(features, page["results"]), page["next"])
        rows = [row | {"vector": numbers(row["vector"])} for row in page["results"]]
        return page | {"results": rows} | _said(features)


def _named(request: Request, project: Project) -> list[int] | None:
    """Ids of the photos that ``sha256`` names, if it is sent."""
    text = request.query_params.get("sha256")
    if text is None:
        return None
    hashes = text.split(",")
    if len(hashes) > MOST_NAMED or "\0" in text:
        message = _("Name at most %(most)d photos by their SHA-256, parted by commas.") % {"most": MOST_NAMED}
        raise Refused.invalid("sha256", message, short=[message])
    return items_named(project, hashes)


def _said(features: Features) -> dict[str, Any]:
    return {
        "version": features.version.number if features.version else None,
        "backbones": [PartOut.of(part) for part in features.parts],
    }


def _table(features: Features, rows: list[dict[str, Any]]) -> Any:
    """The vectors' bytes as they are, without a number being looked at."""
    import pyarrow as pa

    dim = sum(part.dim for part in features.parts)
    values = pa.py_buffer(b"".join(row["vector"] for row in rows))
    vectors = pa.FixedSizeListArray.from_arrays(
        pa.Array.from_buffers(pa.float32(), len(rows) * dim, [None, values]), dim
    )
    hashes = pa.array([row["sha256"] for row in rows], pa.string())
    told = {name: json.dumps(value) for name, value in _said(features).items()}
    return pa.table({"sha256": hashes, "vector": vectors}).replace_schema_metadata(told)
