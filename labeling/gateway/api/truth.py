"""What became of the answers: ground truths, answers with provenance, gold, and exports."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.permissions import Action, may, project_for
from labeling.gateway import provenance
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, paged, user_of
from labeling.gateway.api.fields import PhotoOut, Sha256, present_photo
from labeling.gateway.api.labeling import AnnotationsPost
from labeling.gateway.api.review import item_named
from labeling.gateway.export import FORMATS, streamed
from labeling.gateway.pagination import page_by_id, page_of_rows
from labeling.refusals import Refused
from labeling.truth.models import AnswerKind, DisputeCause, Draw, Gold, Origin, Outcome, TruthKind
from labeling.truth.services import add_gold, retire_gold

SOURCES = {
    "annotations": provenance.ANNOTATIONS,
    "ground-truths": provenance.GROUND_TRUTHS,
    "decisions": provenance.DECISIONS,
}


class GroundTruthOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # our word
    kind = serializers.ChoiceField(TruthKind.choices)
    class_now = serializers.CharField(allow_blank=True, help_text="after merges; empty when retired")
    origin = serializers.ChoiceField(Origin.choices)
    draw = serializers.ChoiceField(Draw.choices)
    guideline = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    in_force = serializers.BooleanField()
    supersedes = serializers.IntegerField(allow_null=True)
    superseded_by = serializers.IntegerField(allow_null=True)
    superseded_at = serializers.DateTimeField(allow_null=True)
    dispute = serializers.UUIDField(allow_null=True)
    dispute_cause = serializers.ChoiceField(DisputeCause.choices, allow_null=True)
    ruling = serializers.ChoiceField(Outcome.choices, allow_null=True)
    ruling_reason = serializers.CharField(allow_blank=True, allow_null=True)
    ruling_comment = serializers.CharField(allow_blank=True, allow_null=True)
    reviewer = serializers.CharField(allow_null=True)
    ruled_at = serializers.DateTimeField(allow_null=True)
    annotations = serializers.ListField(child=serializers.IntegerField(), help_text="answers that led to it")
    labelers = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"class": serializers.CharField(allow_blank=True)}


class AnnotationOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    key = serializers.UUIDField()
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # our word
    round = serializers.IntegerField()
    labeler = serializers.CharField()
    kind = serializers.ChoiceField(AnswerKind.choices)
    class_now = serializers.CharField(allow_blank=True, help_text="after merges; empty when retired")
    reason = serializers.CharField(allow_blank=True)
    comment = serializers.CharField(allow_blank=True)
    checklist = serializers.ListField(child=serializers.CharField())
    guideline = serializers.IntegerField()
    draw = serializers.ChoiceField(Draw.choices)
    context = serializers.DictField(help_text="band, position, model: why the photo was shown")  # type: ignore[assignment]
    shown_at = serializers.DateTimeField(allow_null=True)
    view_ms = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    retracted_at = serializers.DateTimeField(allow_null=True)
    replaces = serializers.IntegerField(allow_null=True)
    dispute = serializers.UUIDField(allow_null=True)
    dispute_cause = serializers.ChoiceField(DisputeCause.choices, allow_null=True)
    ruling = serializers.ChoiceField(Outcome.choices, allow_null=True)
    ruling_class = serializers.CharField(allow_blank=True)
    reviewer = serializers.CharField(allow_null=True)
    ruled_at = serializers.DateTimeField(allow_null=True)
    ground_truth = serializers.IntegerField(allow_null=True)
    ground_truth_class = serializers.CharField(allow_blank=True)
    ground_truth_kind = serializers.ChoiceField(TruthKind.choices, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"class": serializers.CharField(allow_blank=True)}


class GoldIn(StrictSerializer):
    sha256 = Sha256()

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"class": serializers.CharField(max_length=60)}


class GoldOut(serializers.Serializer[Any]):
    photo = PhotoOut()
    added_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    retired_at = serializers.DateTimeField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"class": serializers.CharField()}


def _present_gold(gold: Gold) -> dict[str, Any]:
    return {
        "photo": present_photo(gold.item.image),
        "class": gold.label_class.key,
        "added_by": gold.added_by.get_username(),
        "created_at": gold.created_at,
        "retired_at": gold.retired_at,
    }


def _yes_or_no(request: Request, name: str) -> bool:
    """A query parameter that is true, false or absent (false); anything else is refused."""
    text = request.query_params.get(name, "false").lower()
    if text not in {"1", "true", "0", "false"}:
        message = _("Send true or false.")
        raise Refused.invalid(name, message, short=[message])
    return text in {"1", "true"}


class GroundTruthsView(ApiView):
    @documented(
        "list_ground_truths",
        "Ground truths with provenance, superseded ones too (gold ones: admins only)",
        returns=paged("GroundTruthPage", GroundTruthOut),
        pages=True,
        parameters=[OpenApiParameter("current", bool, description="Only those in force.")],
        tag="truth",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.REVIEW)
        gold = may(request.user, project, Action.ADMIN)
        current = _yes_or_no(request, "current")
        return Response(
            page_of_rows(
                request,
                lambda after, limit: provenance.page(
                    provenance.GROUND_TRUTHS, project, after=after, limit=limit, gold=gold, current=current
                ),
            )
        )


class AnnotationsView(AnnotationsPost, ApiView):
    @documented(
        "list_annotations",
        "All answers with provenance, retracted ones too (admins)",
        returns=paged("AnnotationPage", AnnotationOut),
        pages=True,
        tag="truth",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        return Response(
            page_of_rows(
                request,
                lambda after, limit: provenance.page(
                    provenance.ANNOTATIONS, project, after=after, limit=limit
                ),
            )
        )


class ExportView(ApiView):
    throttle_scope = "export"

    @documented(
        "export",
        "Everything, as one streamed file (admins)",
        returns=None,
        also={
            (200, each.content_type.split(";")[0]): OpenApiResponse(OpenApiTypes.STR, description=each.says)
            for each in FORMATS.values()
        },
        parameters=[
            OpenApiParameter("what", str, OpenApiParameter.PATH, enum=sorted(SOURCES)),
            OpenApiParameter("ending", str, OpenApiParameter.PATH, enum=list(FORMATS)),
        ],
        errors=(429,),
        tag="truth",
    )
    def get(self, request: Request, slug: str, what: str, ending: str) -> StreamingHttpResponse:
        project = project_for(request.user, slug, Action.ADMIN)
        if what not in SOURCES or ending not in FORMATS:
            raise Http404(
                _("There are these exports: %(names)s, each as one of: %(formats)s.")
                % {"names": ", ".join(sorted(SOURCES)), "formats": ", ".join(f".{each}" for each in FORMATS)}
            )
        source = SOURCES[what]
        plain: HttpRequest = request._request
        return streamed(
            plain,
            provenance.stream(source, project),
            columns=source.columns,
            format=ending,
            filename=f"{project.slug}-{what}",
        )


class GoldsView(ApiView):
    @documented(
        "list_gold",
        "Photos whose answer is known (admins)",
        returns=paged("GoldPage", GoldOut),
        pages=True,
        tag="truth",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        golds = Gold.objects.filter(project=project).select_related("item__image", "label_class", "added_by")
        return Response(page_by_id(golds, request, _present_gold))

    @documented(
        "add_gold",
        "Declare a photo's answer known (admins)",
        takes=GoldIn,
        returns=GoldOut,
        status=201,
        errors=(409,),
        tag="truth",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = GoldIn(data=request.data)
        given.is_valid(raise_exception=True)
        item = item_named(project, given.validated_data["sha256"])
        gold = add_gold(
            project=project, item=item, class_key=given.validated_data["class"], by=user_of(request)
        )
        return Response(_present_gold(gold), status=201)


class GoldView(ApiView):
    @documented("retire_gold", "Ask this gold photo no more (admins)", returns=GoldOut, tag="truth")
    def delete(self, request: Request, slug: str, sha256: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        gold = Gold.objects.filter(item=item_named(project, sha256)).first()
        if gold is None:
            raise Http404(_("This photo is not gold."))
        return Response(_present_gold(retire_gold(gold=gold, by=user_of(request))))
