"""Disputes and rulings. For reviewers; names of labelers are told only once a dispute is ruled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import Item, Project
from labeling.catalog.permissions import Action, project_for
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, paged, user_of
from labeling.gateway.api.fields import PhotoOut, present_photo
from labeling.gateway.pagination import page_by_time
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
    reason = serializers.CharField(max_length=12, required=False, allow_blank=True, default="")
    comment = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["class"] = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
        return fields


class ReviewIn(StrictSerializer):
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class DisputeOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    cause = serializers.ChoiceField(DisputeCause.choices)
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    photo = PhotoOut()


class BlindAnswerOut(serializers.Serializer[Any]):
    letter = serializers.CharField(help_text="Stands for the labeler; drawn anew for each photo.")
    kind = serializers.ChoiceField(AnswerKind.choices)
    label = serializers.CharField(help_text="The class or the kind, as people read it.")  # type: ignore[assignment]
    reason = serializers.ChoiceField(REASONS, allow_blank=True)
    reason_label = serializers.CharField(allow_blank=True, help_text="The reason, as people read it.")
    comment = serializers.CharField(allow_blank=True)
    checklist = serializers.ListField(child=serializers.CharField())
    seconds = serializers.FloatField()
    guideline = serializers.IntegerField()
    labeler = serializers.CharField(allow_null=True, help_text="null until ruled")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["class"] = serializers.CharField(allow_blank=True)
        return fields


class RulingOut(serializers.Serializer[Any]):
    dispute = serializers.UUIDField()
    outcome = serializers.ChoiceField(Outcome.choices)
    reason = serializers.CharField(allow_blank=True)
    comment = serializers.CharField(allow_blank=True)
    reviewer = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["class"] = serializers.CharField(allow_blank=True)
        return fields


class DisputeDetailOut(DisputeOut):
    answers = BlindAnswerOut(many=True)
    may_rule = serializers.BooleanField(
        help_text="false when you answered this photo yourself, or it is ruled"
    )
    ruling = RulingOut(allow_null=True)


def _present(dispute: Dispute) -> dict[str, Any]:
    return {
        "id": str(dispute.pk),
        "cause": dispute.cause,
        "note": dispute.note,
        "created_at": dispute.created_at,
        "photo": present_photo(dispute.item.image),
    }


def _present_ruling(ruling: Ruling) -> dict[str, Any]:
    return {
        "dispute": str(ruling.dispute_id),
        "outcome": ruling.outcome,
        "class": ruling.label_class.key if ruling.label_class else "",
        "reason": ruling.reason,
        "comment": ruling.comment,
        "reviewer": ruling.reviewer.get_username() if ruling.reviewer else None,
        "created_at": ruling.created_at,
    }


def _dispute(project: Project, dispute_id: UUID) -> Dispute:
    dispute = (
        Dispute.objects.filter(project=project, pk=dispute_id)
        .select_related("item__image", "project")
        .first()
    )
    if dispute is None:
        raise Http404(_("There is no such dispute in this project."))
    return dispute


class DisputesView(ApiView):
    @documented(
        "list_disputes",
        "Open disputes, oldest first",
        returns=paged("DisputePage", DisputeOut),
        pages=True,
        tag="review",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.REVIEW)
        return Response(page_by_time(selectors.open_disputes(project), request, _present))


class DisputeView(ApiView):
    @documented("get_dispute", "One dispute with its blind answers", returns=DisputeDetailOut, tag="review")
    def get(self, request: Request, slug: str, dispute_id: UUID) -> Response:
        project = project_for(request.user, slug, Action.REVIEW)
        dispute = _dispute(project, dispute_id)
        detail = selectors.dispute_detail(dispute)
        own = not project.reviewer_may_rule_own and selectors.answered_by(dispute, user_of(request))
        answers = [
            {
                "letter": answer.letter,
                "kind": answer.kind,
                "class": answer.class_key,
                "label": answer.label,
                "reason": answer.reason,
                "reason_label": answer.reason_label,
                "comment": answer.comment,
                "checklist": answer.checklist,
                "seconds": answer.seconds,
                "guideline": answer.guideline_number,
                "labeler": answer.name or None,
            }
            for answer in detail.answers
        ]
        return Response(
            _present(dispute)
            | {
                "answers": answers,
                "may_rule": detail.ruling is None and not own,
                "ruling": _present_ruling(detail.ruling) if detail.ruling else None,
            }
        )


class RulingView(ApiView):
    @documented(
        "rule", "End a dispute", takes=RulingIn, returns=RulingOut, status=201, errors=(409,), tag="review"
    )
    def post(self, request: Request, slug: str, dispute_id: UUID) -> Response:
        project = project_for(request.user, slug, Action.REVIEW)
        given = RulingIn(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        ruling = services.rule(
            project=project,
            dispute_id=dispute_id,
            reviewer=user_of(request),
            outcome=fields["outcome"],
            class_key=fields["class"],
            reason=fields["reason"],
            comment=fields["comment"],
        )
        return Response(_present_ruling(ruling), status=201)


class RequestReviewView(ApiView):
    @documented(
        "request_review",
        "Put a photo before a reviewer; the open dispute if there is one",
        takes=ReviewIn,
        returns=DisputeOut,
        errors=(409,),
        tag="review",
    )
    def post(self, request: Request, slug: str, sha256: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = ReviewIn(data=request.data)
        given.is_valid(raise_exception=True)
        item = item_named(project, sha256)
        dispute = services.request_review(
            project=project, item=item, by=user_of(request), note=given.validated_data["note"]
        )
        return Response(_present(dispute))


def item_named(project: Project, sha256: str) -> Item:
    """The project's photo with this hash, or 404."""
    item = (
        None
        if "\0" in sha256
        else Item.objects.filter(project=project, image__sha256=sha256).select_related("image").first()
    )
    if item is None:
        raise Http404(_("This project holds no photo with this hash."))
    return item
