"""The champion's scores. For admins: who knows them is blind no more."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.permissions import Action
from labeling.database.planner import LookedUp
from labeling.gateway.api import arrow
from labeling.gateway.api.base import ApiView, route
from labeling.gateway.api.endpoint import Json, endpoint, file_of
from labeling.gateway.api.fields import moment
from labeling.gateway.api.learning.embeddings import AS_OF, VERSION
from labeling.gateway.api.learning.models import version_asked_for
from labeling.gateway.api.shapes import Shape, paged
from labeling.gateway.pagination import page_searched
from labeling.learning import selectors
from labeling.learning.features import champion_at
from labeling.learning.models import ModelVersion, Score
from labeling.refusals import Refused
from labeling.truth.models import Gold, GroundTruth


class ScoreOut(Shape):
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    predicted = serializers.CharField()
    confidence = serializers.FloatField(help_text="top probability minus the second")
    probabilities = serializers.DictField(child=serializers.FloatField(), help_text="class key → probability")
    labeled = serializers.BooleanField(help_text="there is a ground truth in force that people made")
    gold = serializers.BooleanField()


@route("projects/<slug:slug>/scores", "api-scores", "models")
class ScoresView(ApiView):
    @endpoint(
        "list_scores",
        "The champion's scores. Those of other versions are not kept (409 `not_kept`): they follow from the embeddings",
        may=Action.ADMIN,
        returns=paged("ScorePage", ScoreOut),
        also=file_of(arrow.CONTENT_TYPE, "the same columns; `probabilities` has a field a class"),
        parameters=[VERSION, AS_OF, arrow.FORMAT_PARAMETER],
        errors=(409,),
    )
    def get(self, request: Request, project: Project) -> Json | HttpResponse:
        as_of = moment(request, "as_of")
        champion = selectors.champion(project)
        wanted = version_asked_for(request, project)
        if wanted is None:
            wanted = champion_at(project, as_of) if as_of else champion
        if wanted is not None and (champion is None or wanted.pk != champion.pk):
            raise _not_kept(wanted)
        keys = selectors.class_keys(wanted) if wanted else []
        names = dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))
        settled = GroundTruth.objects.current().exclude(origin="gold").filter(item_id=OuterRef("item_id"))
        known = Gold.objects.filter(item_id=OuterRef("item_id"), retired_at__isnull=True)
        scores = (
            Score.objects.filter(model_version=wanted)
            .select_related("item__image")
            .annotate(labeled=LookedUp(settled), gold=LookedUp(known))
            .order_by("item_id")
        )

        def fetch(after: int, limit: int) -> tuple[list[Any], int | None]:
            rows = list(scores.filter(item_id__gt=after)[: limit + 1])
            place = rows[limit - 1].item_id if len(rows) > limit else None
            return [each for each in rows[:limit] if as_of is None or each.item.added_at <= as_of], place

        def present(score: Any) -> dict[str, Any]:
            return ScoreOut.of(
                score,
                sha256=score.item.image.sha256,
                name=score.item.name,
                predicted=names[score.predicted_id],
                probabilities=dict(zip(keys, score.probabilities, strict=True)),
            )

        page = page_searched(request, fetch, present=present)
        if arrow.asks_for_arrow(request):
            return arrow.sent(_table(page["results"], keys), page["next"])
        return page


def _not_kept(version: ModelVersion) -> Refused:
    return Refused(
        "not_kept",
        _(
            "Scores are kept for the version in service only. Score the embeddings of version %(number)d with its head, or "
            "promote it."
        )
        % {"number": version.number},
    )


def _table(rows: list[dict[str, Any]], keys: list[str]) -> Any:
    import pyarrow as pa

    text, number, yes = pa.string(), pa.float64(), pa.bool_()
    shares = pa.struct(dict.fromkeys(keys, number))
    schema = pa.schema(
        {
            "sha256": text,
            "name": text,
            "predicted": text,
            "confidence": number,
            "probabilities": shares,
            "labeled": yes,
            "gold": yes,
        }
    )
    return pa.Table.from_pylist(rows, schema)
