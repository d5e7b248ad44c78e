"""Photos that are searched; one with its history, and what mends it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.metadata.values import of_photo
from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.catalog.services import put_metadata
from labeling.explorer import services
from labeling.explorer.photo.history import Kind
from labeling.explorer.photo.page import photo_page
from labeling.explorer.search.finding import Found, search
from labeling.explorer.search.wanted import REASONS, Wanted
from labeling.frontier.told import Status
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.photos import ItemOut, item_named, present_item
from labeling.gateway.api.review import RulingIn, RulingOut, present_ruling
from labeling.gateway.api.shapes import Shape, StrictSerializer, paged
from labeling.gateway.pagination import page_searched
from labeling.gateway.sent_paths import SentPathsParser


class MomentOut(Shape):
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(Kind.choices)
    what = serializers.CharField(help_text="as people read it")
    by = serializers.CharField(allow_blank=True)
    details = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField(allow_blank=True)
    label_ = serializers.CharField(allow_blank=True, help_text="the class's key, or the kind that was said")


class ScoredOut(Shape):
    model = serializers.IntegerField()
    predicted = serializers.CharField()
    margin = serializers.FloatField()
    probabilities = serializers.DictField(child=serializers.FloatField(), help_text="class key → probability")


class BesideOut(Shape):
    project = serializers.CharField()
    id = serializers.IntegerField(allow_null=True, help_text="null: your role there does not show photos")


class FoundOut(ItemOut):
    id = serializers.IntegerField()
    metadata = serializers.DictField(child=serializers.JSONField(), help_text="name → text or number")
    status = serializers.ChoiceField(Status.choices)
    class_ = serializers.CharField(allow_blank=True, help_text="where it is told")


@extend_schema_field({"type": ["string", "number"]})
class MetadataValue(serializers.JSONField):
    pass


class MetadataIn(StrictSerializer):
    metadata = serializers.DictField(
        child=MetadataValue(allow_null=True), help_text="name → text or number; null takes it away"
    )


class MetadataOut(Shape):
    metadata = serializers.DictField(child=serializers.JSONField(), help_text="name → text or number")


class PhotoHistoryOut(FoundOut):
    history = MomentOut(many=True)
    scores = ScoredOut(allow_null=True)
    near_duplicates = serializers.ListField(child=serializers.CharField(), help_text="their SHA-256")
    elsewhere = BesideOut(many=True, help_text="other projects of yours that hold the photo")


class SearchIn(StrictSerializer):
    search = serializers.CharField(
        max_length=2000, help_text="Filters as in the address of `items`: `q=앞범퍼&status=open`."
    )


_TEXTS = {
    "q": "Parts of folder and name, parted by spaces; each must be in it, in any case.",
    "source": "A folder, upload or archive, whole.",
    "metadata": "What its metadata has: name=value, or name>=value and name<=value of a number or a day, both included; "
    'parted by spaces, in quotes where one is inside: line="second shift" mileage>=1000.',
    "class": "Key of the class as which people settled it, or the machine decided it.",
    "predicted": "Key of the class that the champion predicts.",
    "like": "SHA-256 of a photo of the project, or of one that was sent to `similar`: the 1,000 that look most like it, the "
    "most alike first. 409 `not_ready` while it waits for its embedding.",
    "words": "That were sent to `words`: the 1,000 photos that they fit best, the best first. 409 `not_ready` while a "
    "worker compares them.",
    "area": "Of the project's map: its number, a colon, and the corners of a polygon (x,y,x,y…), as the page's lasso says.",
    "labeler": "Account whose answer it has; with `reason` and days: of the same answer.",
}


@route("projects/<slug:slug>/items", "api-items", "explorer")
class ItemsView(ApiView):
    """Reviewers and admins: a labeler who could page through the pool would know what is coming."""

    @endpoint(
        "list_items",
        "The photos of the project, or those that are like this. What an open photo would be known by finds it not: "
        "somebody may yet be asked about it, blind. A page may be short and have a `next`: it looked at as many as one does",
        may=Action.REVIEW,
        returns=paged("ItemPage", FoundOut),
        parameters=[
            *(OpenApiParameter(name, str, description=text) for name, text in _TEXTS.items()),
            OpenApiParameter("status", enum=Status.values),
            OpenApiParameter("reason", enum=REASONS, description="Why it was held or called unusable."),
            *(
                OpenApiParameter(
                    name, float, description="Of the champion's score: 0 at the boundary, 1 at most."
                )
                for name in ("margin_from", "margin_to")
            ),
            *(
                OpenApiParameter(name, OpenApiTypes.DATE, description="Day of the answer, included.")
                for name in ("answered_from", "answered_to")
            ),
            OpenApiParameter(
                "disagrees", bool, description="People settled it otherwise than the champion says."
            ),
        ],
        errors=(409,),
    )
    def get(self, request: Request, project: Project) -> Json:
        wanted = Wanted.of(project, request.query_params.dict())
        keys = dict(project.label_classes.values_list("pk", "key"))

        def fetch(after: int, limit: int) -> tuple[list[Found], int | None]:
            page = search(project, signed_in(request), wanted, after=after, limit=limit)
            return page.rows, page.next

        def present(row: Found) -> Json:
            return present_item(row.item) | {
                "id": row.item.pk,
                "metadata": of_photo(row.item),
                "status": row.status,
                "class": keys.get(row.class_id or 0, ""),
            }

        return page_searched(request, fetch, present=present)


@route("projects/<slug:slug>/items/<str:sha256>", "api-item", "explorer")
class ItemView(ApiView):
    @endpoint(
        "get_item",
        "A photo and all that happened to it. Of one that people may yet be asked about, blind, its file only",
        may=Action.REVIEW,
        returns=PhotoHistoryOut,
    )
    def get(self, request: Request, project: Project, sha256: str) -> Json:
        page = photo_page(project, item_named(project, sha256), signed_in(request))
        keys = dict(project.label_classes.values_list("pk", "key"))
        scored = page.scored
        return present_item(page.item) | {
            "id": page.item.pk,
            "status": page.standing.status,
            "class": keys.get(page.standing.class_id or 0, ""),
            "metadata": of_photo(page.item),
            "history": [MomentOut.of(each) for each in page.moments],
            "scores": scored
            and ScoredOut.of(
                scored,
                model=scored.version.number,
                predicted=keys[scored.score.predicted_id],
                margin=scored.score.confidence,
                probabilities={keys[each]: share for each, _name, share in scored.shares},
            ),
            "near_duplicates": [each.image.sha256 for each in page.twins],
            "elsewhere": [{"project": each.project.slug, "id": each.item_id} for each in page.elsewhere],
        }


@route("projects/<slug:slug>/items/<str:sha256>/metadata", "api-item-metadata", "explorer")
class ItemMetadataView(ApiView):
    @endpoint(
        "set_item_metadata",
        "Add to what is known of a photo beside its picture: its vehicle, line or day",
        may=Action.ADMIN,
        takes=MetadataIn,
        returns=MetadataOut,
    )
    def patch(self, request: Request, project: Project, sha256: str, given: Json) -> Json:
        item = item_named(project, sha256)
        put_metadata(project=project, item_id=item.pk, given=given["metadata"], by=signed_in(request))
        return {"metadata": of_photo(item_named(project, sha256))}


@route("projects/<slug:slug>/items/<str:sha256>/ruling", "api-item-ruling", "explorer")
class ItemRulingView(ApiView):
    @endpoint(
        "correct_item",
        "Correct a ground truth, or (send_back) have people asked again; the comment says why",
        may=Action.REVIEW,
        takes=RulingIn,
        returns=RulingOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, sha256: str, given: Json) -> Json:
        said: dict[str, Any] = {
            "outcome": given["outcome"],
            "class_key": given["class"],
            "reason": given["reason"],
            "comment": given["comment"],
        }
        ruling = services.mend(
            project=project, item=item_named(project, sha256), by=signed_in(request), **said
        )
        return present_ruling(ruling)


class AskedIn(StrictSerializer):
    photo = serializers.FileField(
        allow_empty_file=True, help_text="It is compared, and not kept: it comes into no project."
    )


class AskedOut(Shape):
    like = serializers.CharField(help_text="its SHA-256, by which `items` finds photos like it for a week")


@route("projects/<slug:slug>/similar", "api-like", "explorer")
class SimilarView(ApiView):
    parser_classes = (SentPathsParser,)
    throttle_scope = "intake"

    @endpoint(
        "find_similar",
        "Find photos like one that is sent: it is embedded by a worker, then `items?like=` answers",
        may=Action.REVIEW,
        takes={"multipart/form-data": AskedIn},
        returns=AskedOut,
        status=202,
        errors=(409, 413, 429),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        return {"like": services.ask_alike(project=project, by=signed_in(request), photo=given["photo"])}


class WordsIn(StrictSerializer):
    words = serializers.CharField(
        max_length=200, allow_blank=True, help_text="What the photos show: `a red car with an open door`."
    )


class WordsOut(Shape):
    words = serializers.CharField(help_text="as `items?words=` takes them for a week")


@route("projects/<slug:slug>/words", "api-words", "explorer")
class WordsView(ApiView):
    throttle_scope = "predict"

    @endpoint(
        "find_by_words",
        "Find photos by words, where a backbone of the project knows words: a worker compares them with all photos, then "
        "`items?words=` answers",
        may=Action.REVIEW,
        takes=WordsIn,
        returns=WordsOut,
        status=202,
        errors=(409, 429),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        return {"words": services.ask_words(project=project, by=signed_in(request), words=given["words"])}
