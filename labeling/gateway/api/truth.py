"""What became of the answers: ground truths, and everything as files."""

from __future__ import annotations

from django.http import Http404, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.activity import log_activity
from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may
from labeling.exchange import provenance
from labeling.exchange.provenance import SOURCES
from labeling.exchange.tables import FORMATS, streamed
from labeling.frontier.standing import StandsUnder
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import yes_or_no
from labeling.gateway.api.shapes import Shape, paged
from labeling.gateway.pagination import page_of_rows
from labeling.refusals import Refused
from labeling.truth.models import DisputeCause, Draw, Origin, Outcome, TruthKind


class GroundTruthOut(Shape):
    id = serializers.IntegerField()
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    source_ = serializers.CharField(allow_blank=True)
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
    promise = serializers.ChoiceField(
        StandsUnder.choices,
        allow_blank=True,
        help_text="which promise it stands under, or stood while it was in force; empty where it was withdrawn, or rests on "
        "an answer from a grid, which is not blind",
    )
    stated = serializers.FloatField(
        allow_null=True, help_text="precision that is stated of that promise; null for strict labels"
    )
    class_ = serializers.CharField(allow_blank=True)


def _promise(request: Request) -> str:
    """The query parameter of that name: one that labels can stand under, or nothing."""
    asked = request.query_params.get("promise", "")
    if asked and asked not in StandsUnder:
        message = _("Ask for one of these promises: %(names)s.") % {"names": ", ".join(StandsUnder.values)}
        raise Refused.invalid("promise", message, short=[message])
    return asked


_OF_PROMISE = OpenApiParameter(
    "promise",
    enum=StandsUnder.values,
    description="Only labels that stand under this promise: `strict` for those that people settled blind, by the project's "
    "rule. Of answers, those to photos with such a label.",
)


@route("projects/<slug:slug>/ground-truths", "api-ground-truths", "truth")
class GroundTruthsView(ApiView):
    @endpoint(
        "list_ground_truths",
        "Ground truths with provenance, superseded ones too. Gold ones are told to admins only",
        may=Action.REVIEW,
        returns=paged("GroundTruthPage", GroundTruthOut),
        parameters=[OpenApiParameter("current", bool, description="Only those in force."), _OF_PROMISE],
    )
    def get(self, request: Request, project: Project) -> Json:
        gold = may(request.user, project, Action.ADMIN)
        current, promise = yes_or_no(request, "current"), _promise(request)
        return page_of_rows(
            request,
            lambda after, limit: provenance.page(
                provenance.GROUND_TRUTHS,
                project,
                after=after,
                limit=limit,
                gold=gold,
                current=current,
                promise=promise,
            ),
        )


@route("projects/<slug:slug>/export/<str:what>.<str:ending>", "api-export", "truth")
class ExportView(ApiView):
    throttle_scope = "export"
    throttled_methods = ("GET", "HEAD")

    @endpoint(
        "export",
        "Everything, as one streamed file",
        may=Action.ADMIN,
        also={
            (200, each.content_type.split(";")[0]): OpenApiResponse(OpenApiTypes.STR, description=each.says)
            for each in FORMATS.values()
        },
        parameters=[
            OpenApiParameter("what", str, OpenApiParameter.PATH, enum=sorted(SOURCES)),
            OpenApiParameter("ending", str, OpenApiParameter.PATH, enum=list(FORMATS)),
            _OF_PROMISE,
        ],
        errors=(429,),
    )
    def get(self, request: Request, project: Project, what: str, ending: str) -> StreamingHttpResponse:
        if what not in SOURCES or ending not in FORMATS:
            raise Http404(
                _("There are these exports: %(names)s, each as one of: %(formats)s.")
                % {"names": ", ".join(sorted(SOURCES)), "formats": ", ".join(f".{each}" for each in FORMATS)}
            )
        source, promise = SOURCES[what], _promise(request)
        log_activity(
            project=project,
            kind="exported",
            actor=signed_in(request),
            what=what,
            format=ending,
            promise=promise,
        )
        return streamed(
            request._request,
            provenance.stream(source, project, promise=promise),
            columns=source.columns,
            format=ending,
            filename=f"{project.slug}-{what}{f'-{promise}' if promise else ''}",
        )
