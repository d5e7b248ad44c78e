"""The answers: a labeler gives one; admins read all, with provenance."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.exchange import provenance
from labeling.frontier.standing import StandsUnder
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import AnsweredClass, Checklist, GuidelineRead
from labeling.gateway.api.labeling import ClaimIn, ClaimOut, asked, present_claimed
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_of_rows
from labeling.queue import services as queue
from labeling.truth.models import Annotation, AnswerKind, DisputeCause, Draw, Origin, Outcome, TruthKind
from labeling.truth.services import Answer


class AnswerIn(StrictSerializer):
    key = serializers.UUIDField(help_text="Yours, new for each answer: sending it again changes nothing.")
    lease = serializers.UUIDField()
    kind = serializers.ChoiceField(AnswerKind.choices)
    reason = like(Annotation, "reason", default="")
    comment = like(Annotation, "comment", default="")
    checklist = Checklist(required=False, default=list)
    shown_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    view_ms = like(Annotation, "view_ms")
    guideline = GuidelineRead()
    claim = ClaimIn(
        required=False,
        allow_null=True,
        default=None,
        help_text="The next photos in the same round trip: what `claims` takes. The answer tells of them as `claimed`.",
    )
    class_ = AnsweredClass()


class AnswerOut(Shape):
    key = serializers.UUIDField()
    undo_until = serializers.DateTimeField()
    kind = serializers.ChoiceField(AnswerKind.choices)
    reason = serializers.CharField(allow_blank=True)
    guideline = serializers.IntegerField(help_text="Number of the version that it counts under.")
    claimed = ClaimOut(
        allow_null=True,
        help_text="With `claim`: what `claims` would answer now. Null when photos could not be lent: then ask there.",
    )
    class_ = serializers.CharField(allow_blank=True)


class AnnotationOut(Shape):
    id = serializers.IntegerField()
    key = serializers.UUIDField()
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    source_ = serializers.CharField(allow_blank=True)
    round = serializers.IntegerField()
    labeler = serializers.CharField()
    kind = serializers.ChoiceField(AnswerKind.choices)
    class_now = serializers.CharField(allow_blank=True, help_text="after merges; empty when retired")
    reason = serializers.CharField(allow_blank=True)
    comment = serializers.CharField(allow_blank=True)
    checklist = serializers.ListField(child=serializers.CharField())
    guideline = serializers.IntegerField()
    draw = serializers.ChoiceField(Draw.choices)
    context_ = serializers.DictField(help_text="band, position, model: why the photo was shown")
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
    ground_truth_promise = serializers.ChoiceField(
        StandsUnder.choices, allow_blank=True, help_text="which promise that ground truth stands under"
    )
    ground_truth_origin = serializers.ChoiceField(Origin.choices, allow_null=True)
    class_ = serializers.CharField(allow_blank=True)


@route("projects/<slug:slug>/annotations", "api-annotations", "truth")
class AnnotationsView(ApiView):
    @endpoint(
        "list_annotations",
        "All answers with provenance, retracted ones too",
        may=Action.ADMIN,
        returns=paged("AnnotationPage", AnnotationOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_of_rows(
            request,
            lambda after, limit: provenance.page(provenance.ANNOTATIONS, project, after=after, limit=limit),
        )

    @endpoint(
        "answer",
        "Answer a photo on loan; 200 when this key was stored before",
        may=Action.LABEL,
        takes=AnswerIn,
        returns=AnswerOut,
        status=201,
        also={200: AnswerOut},
        errors=(409,),
        tag="labeling",
    )
    def post(self, request: Request, project: Project, given: Json) -> Response:
        labeler = signed_in(request)
        sent = {
            "lease": given["lease"],
            "key": given["key"],
            "answer": Answer(
                kind=given["kind"],
                class_key=given["class"],
                reason=given["reason"],
                comment=given["comment"],
                checklist=tuple(given["checklist"]),
            ),
            "shown_at": given["shown_at"],
            "view_ms": given["view_ms"],
            "guideline": given["guideline"],
        }
        if given["claim"] is None:
            stored, claimed = queue.submit(project=project, labeler=labeler, **sent), None
        else:
            stored, claimed = queue.submit_and_claim(
                project=project, labeler=labeler, claim=asked(given["claim"]), **sent
            )
        annotation = stored.annotation
        # A new answer's class is the one that was just sent; only a replay has to look at what was stored.
        class_key = given["class"] if stored.created else _class_key(annotation)
        told = AnswerOut.of(
            annotation,
            undo_until=stored.undo_until,
            class_=class_key if annotation.kind == AnswerKind.CLASS else "",
            guideline=annotation.guideline.number,
            claimed=present_claimed(project, labeler, claimed) if claimed else None,
        )
        return Response(told, status=201 if stored.created else 200)


def _class_key(annotation: Annotation) -> str:
    return annotation.label_class.key if annotation.label_class else ""
