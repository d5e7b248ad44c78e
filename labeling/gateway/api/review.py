"""Disputes and rulings. For reviewers; names of labelers are told only once a dispute is ruled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import AnsweredClass, PhotoOut, present_photo, yes_or_no
from labeling.gateway.api.labeling import EarlierOut, present_earlier
from labeling.gateway.api.photos import item_named
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_time
from labeling.inspections.services import show_earlier_at_review
from labeling.truth import selectors, services
from labeling.truth.models import (
    AnswerKind,
    Dispute,
    DisputeCause,
    HoldReason,
    Outcome,
    Ruling,
    UnusableReason,
)

REASONS = list(dict.fromkeys([*HoldReason.values, *UnusableReason.values]))


class RulingIn(StrictSerializer):
    outcome = serializers.ChoiceField([c for c in Outcome.choices if c[0] != Outcome.WITHDRAWN])
    reason = like(Ruling, "reason", default="")
    comment = like(Ruling, "comment", default="")
    class_ = AnsweredClass()


class ReviewIn(StrictSerializer):
    note = like(Dispute, "note", default="")


class DisputeOut(Shape):
    id = serializers.UUIDField()
    cause = serializers.ChoiceField(DisputeCause.choices)
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    photo = PhotoOut()


class BlindAnswerOut(Shape):
    letter = serializers.CharField(help_text="Stands for the labeler; drawn anew for each photo.")
    kind = serializers.ChoiceField(AnswerKind.choices)
    label_ = serializers.CharField(help_text="The class or the kind, as people read it.")
    reason = serializers.ChoiceField(REASONS, allow_blank=True)
    reason_label = serializers.CharField(allow_blank=True, help_text="The reason, as people read it.")
    comment = serializers.CharField(allow_blank=True)
    checklist = serializers.ListField(child=serializers.CharField())
    seconds = serializers.FloatField(allow_null=True, help_text="null where it was imported")
    guideline = serializers.IntegerField()
    labeler = serializers.CharField(allow_null=True, help_text="null until ruled")
    class_ = serializers.CharField(allow_blank=True)


class RulingOut(Shape):
    dispute = serializers.UUIDField()
    outcome = serializers.ChoiceField(Outcome.choices)
    reason = serializers.CharField(allow_blank=True)
    comment = serializers.CharField(allow_blank=True)
    reviewer = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    class_ = serializers.CharField(allow_blank=True)


class HintOut(Shape):
    said_by = serializers.CharField(help_text="the source, and who it was there")
    label_ = serializers.CharField(help_text="The class or the kind, as people read it.")


class DisputeDetailOut(DisputeOut):
    answers = BlindAnswerOut(many=True)
    hints = HintOut(many=True, help_text="What was said elsewhere. A ruling made beside it proves nothing.")
    may_rule = serializers.BooleanField(
        help_text="false when you answered this photo yourself, or it is ruled"
    )
    ruling = RulingOut(allow_null=True)


def _present(dispute: Dispute) -> dict[str, Any]:
    return DisputeOut.of(dispute, photo=present_photo(dispute.item.image))


def present_ruling(ruling: Ruling) -> dict[str, Any]:
    return RulingOut.of(
        ruling,
        dispute=ruling.dispute_id,
        class_=ruling.label_class.key if ruling.label_class else "",
        reviewer=ruling.reviewer.get_username() if ruling.reviewer else None,
    )


def _dispute(project: Project, dispute_id: UUID) -> Dispute:
    dispute = (
        Dispute.objects.filter(project=project, pk=dispute_id)
        .select_related("item__image", "project")
        .first()
    )
    if dispute is None:
        raise Http404(_("There is no such dispute in this project."))
    return dispute


@route("projects/<slug:slug>/disputes", "api-disputes", "review")
class DisputesView(ApiView):
    @endpoint(
        "list_disputes",
        "Open disputes, oldest first",
        may=Action.REVIEW,
        returns=paged("DisputePage", DisputeOut),
        parameters=[
            OpenApiParameter(
                "held",
                bool,
                description="those held at the boundary, which no ruling is asked for, instead of those that wait for one",
            )
        ],
    )
    def get(self, request: Request, project: Project) -> Json:
        held = yes_or_no(request, "held")
        disputes = selectors.open_disputes(project, held=held)
        return page_by_time(disputes, request, _present, by=selectors.AS_THEY_WAIT)


class PausedBackIn(StrictSerializer):
    comment = like(Ruling, "comment", help_text="What the labelers read with each photo.")


class PausedBackOut(Shape):
    sent_back = serializers.IntegerField()
    left = serializers.IntegerField(help_text="Those that you answered yourself, or somebody just ruled on.")


@route("projects/<slug:slug>/disputes/paused/back", "api-paused-back", "review")
class PausedBackView(ApiView):
    @endpoint(
        "send_back_paused",
        "Send all photos back that came to review because a labeler was paused",
        may=Action.REVIEW,
        takes=PausedBackIn,
        returns=PausedBackOut,
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        sent, left = services.send_back_paused(
            project=project, reviewer=signed_in(request), comment=given.get("comment", "")
        )
        return {"sent_back": sent, "left": left}


@route("projects/<slug:slug>/disputes/<uuid:dispute_id>", "api-dispute", "review")
class DisputeView(ApiView):
    @endpoint(
        "get_dispute", "One dispute with its blind answers", may=Action.REVIEW, returns=DisputeDetailOut
    )
    def get(self, request: Request, project: Project, dispute_id: UUID) -> Json:
        dispute = _dispute(project, dispute_id)
        detail = selectors.dispute_detail(dispute)
        own = not project.reviewer_may_rule_own and selectors.answered_by(dispute, signed_in(request))
        answers = [
            BlindAnswerOut.of(
                answer,
                class_=answer.class_key,
                guideline=answer.guideline_number,
                labeler=answer.name or None,
            )
            for answer in detail.answers
        ]
        return _present(dispute) | {
            "answers": answers,
            "hints": [{"said_by": who, "label": said} for who, said in detail.hints],
            "may_rule": detail.ruling is None and not own,
            "ruling": present_ruling(detail.ruling) if detail.ruling else None,
        }


@route("projects/<slug:slug>/disputes/<uuid:dispute_id>/ruling", "api-ruling", "review")
class RulingView(ApiView):
    @endpoint(
        "rule",
        "End a dispute",
        may=Action.REVIEW,
        takes=RulingIn,
        returns=RulingOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, dispute_id: UUID, given: Json) -> Json:
        fields = given
        ruling = services.rule(
            project=project,
            dispute_id=dispute_id,
            reviewer=signed_in(request),
            outcome=fields["outcome"],
            class_key=fields["class"],
            reason=fields["reason"],
            comment=fields["comment"],
        )
        return present_ruling(ruling)


@route("projects/<slug:slug>/disputes/<uuid:dispute_id>/earlier", "api-dispute-earlier", "review")
class DisputeEarlierView(ApiView):
    @endpoint(
        "show_earlier_at_review",
        "The asset's earlier photo of the same shot, to be shown beside; from then on your ruling is not blind",
        may=Action.REVIEW,
        returns=EarlierOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, dispute_id: UUID) -> Json:
        found = show_earlier_at_review(project=project, reviewer=signed_in(request), dispute_id=dispute_id)
        return present_earlier(found)


@route("projects/<slug:slug>/items/<str:sha256>/review", "api-request-review", "review")
class RequestReviewView(ApiView):
    @endpoint(
        "request_review",
        "Put a photo before a reviewer; the open dispute if there is one",
        may=Action.ADMIN,
        takes=ReviewIn,
        returns=DisputeOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, sha256: str, given: Json) -> Json:
        item = item_named(project, sha256)
        dispute = services.request_review(
            project=project, item=item, by=signed_in(request), note=given["note"]
        )
        return _present(dispute)
