"""The class schema and its criteria, version by version."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db.models import Prefetch
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.codes import codes_of
from labeling.catalog.guidelines import LONGEST_CRITERIA, MAX_CLASSES
from labeling.catalog.history import Change, changes_of
from labeling.catalog.meaning import meanings
from labeling.catalog.models import (
    ClassDefinition,
    Exemplar,
    Guideline,
    GuidelineProposal,
    MeaningObjection,
    Project,
    ProposalAnswer,
)
from labeling.catalog.permissions import Action, must_be_allowed
from labeling.catalog.price import price_of_meaning
from labeling.catalog.proposals import proposals_of, proposed
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import (
    agree_to_proposal,
    amend_guideline,
    decline_proposal,
    object_to_wording,
    propose_guideline,
)
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import Checklist, ClassKey, PhotoOut, Sha256, present_photo
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_id
from labeling.refusals import Refused

CRITERIA: dict[str, Any] = {"max_length": LONGEST_CRITERIA, "allow_blank": True}


#: What a reviewer may amend in passing; anything that changes which classes there are is an admin's.
WORDING = {"note", "criteria", "checklist", "exemplars", "wording_only", "expected"}


def _expected() -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="The version that you saw: refused with 409 if there is a newer one by now.",
    )


class NewClass(StrictSerializer):
    key = ClassKey()
    name = like(ClassDefinition, "name")
    group = like(
        ClassDefinition, "group", required=False, default="", help_text="Heading under which it is listed."
    )
    criteria = serializers.CharField(required=False, default="", **CRITERIA)
    checklist = Checklist(required=False, default=list)


class GuidelineIn(StrictSerializer):
    """Only what changes; the rest is carried over into the new version."""

    note = like(Guideline, "note", help_text="What changes, and why.")
    rename = serializers.DictField(child=like(ClassDefinition, "name"), required=False)
    group = serializers.DictField(
        child=like(ClassDefinition, "group"),
        required=False,
        help_text="key → heading under which the class is listed; empty for none",
    )
    add = NewClass(many=True, required=False, max_length=MAX_CLASSES)  # type: ignore[call-arg]  # many=True makes a list
    merge = serializers.DictField(child=ClassKey(), required=False, help_text="from key → into key")
    retire = serializers.ListField(child=ClassKey(), required=False, max_length=MAX_CLASSES)
    criteria = serializers.DictField(child=serializers.CharField(**CRITERIA), required=False)
    checklist = serializers.DictField(child=Checklist(), required=False)
    exemplars = serializers.DictField(
        child=serializers.ListField(child=Sha256(), max_length=50), required=False, help_text="key → photos"
    )
    order = serializers.ListField(child=ClassKey(), required=False, max_length=MAX_CLASSES)
    wording_only = serializers.BooleanField(
        required=False,
        help_text=(
            "Answers mean what they meant, and nothing falls. Without it the meaning changes; while a certificate stands "
            "you must say which."
        ),
    )
    expected = _expected()


class ExemplarOut(PhotoOut):
    caption = serializers.CharField()


class ClassOut(Shape):
    key = serializers.CharField()
    name = serializers.CharField()
    group = serializers.CharField(help_text="Heading under which it is listed; may be empty.")
    code = serializers.CharField(
        allow_null=True,
        help_text="What is typed for it on the labeling screen: one sign or two. Null where it is out of use.",
    )
    state = serializers.ChoiceField(["active", "retired", "merged"])
    merged_into = serializers.CharField(allow_null=True)
    criteria = serializers.CharField()
    checklist = serializers.ListField(child=serializers.CharField())
    exemplars = ExemplarOut(many=True)


class ObjectionIn(StrictSerializer):
    note = like(MeaningObjection, "note", help_text="What means something else now.")


class ObjectionOut(Shape):
    note = serializers.CharField()
    by = serializers.CharField()
    created_at = serializers.DateTimeField()


class PieceOut(Shape):
    kind = serializers.ChoiceField(["", "del", "ins"], help_text="Empty: in both versions.")
    text = serializers.CharField(trim_whitespace=False)


class ChangeOut(Shape):
    says = serializers.CharField()
    key = serializers.CharField(allow_blank=True, help_text="Of the class, if it is of one.")
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)
    pieces = PieceOut(many=True)


class ChangesOut(Shape):
    number = serializers.IntegerField()
    changes = ChangeOut(many=True)


class ProposalIn(StrictSerializer):
    note = like(Guideline, "note", help_text="What is to change, and why.")
    criteria = serializers.DictField(child=serializers.CharField(**CRITERIA), required=False)
    checklist = serializers.DictField(child=Checklist(), required=False)
    exemplars = serializers.DictField(
        child=serializers.ListField(child=Sha256(), max_length=50), required=False, help_text="key → photos"
    )
    expected = _expected()


class AgreeIn(StrictSerializer):
    expected = _expected()


class DeclineIn(StrictSerializer):
    note = like(ProposalAnswer, "note", required=True, allow_blank=False, help_text="Why not.")


class ProposalAnswerOut(Shape):
    number = serializers.IntegerField(
        allow_null=True, help_text="The version that came of it; null where it was declined."
    )
    note = serializers.CharField(allow_blank=True, help_text="Why it was declined.")
    by = serializers.CharField()
    created_at = serializers.DateTimeField()


class ProposalOut(Shape):
    id = serializers.IntegerField()
    base = serializers.IntegerField(help_text="The version that it was made of.")
    note = serializers.CharField()
    by = serializers.CharField()
    created_at = serializers.DateTimeField()
    state = serializers.ChoiceField(["open", "agreed", "declined"])
    outdated = serializers.BooleanField(
        help_text="A class that it changes was amended since: nobody can agree to it."
    )
    changes = ChangeOut(many=True)
    answer = ProposalAnswerOut(allow_null=True)


class PriceOut(Shape):
    certificates = serializers.IntegerField(help_text="In force, and would end.")
    random_labels = serializers.IntegerField(help_text="Would prove nothing any more.")
    bands = serializers.IntegerField(help_text="At most so many would open again.")


class GuidelineOut(Shape):
    number = serializers.IntegerField()
    wording_only = serializers.BooleanField(help_text="So said by its author.")
    means_as = serializers.IntegerField(help_text="The first version that means the same.")
    objection = ObjectionOut(allow_null=True)
    note = serializers.CharField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    classes = ClassOut(many=True)


def present(guideline: Guideline, means_as: int) -> dict[str, Any]:
    definitions = list(guideline.definitions.all())
    codes = codes_of(definitions)
    classes = [
        ClassOut.of(
            definition,
            code=codes.get(definition.label_class_id),
            key=definition.label_class.key,
            merged_into=definition.merged_into.key if definition.merged_into else None,
            exemplars=[
                ExemplarOut.of(exemplar, **present_photo(exemplar.image))
                for exemplar in definition.exemplars.all()
            ],
        )
        for definition in definitions
    ]
    objection = getattr(guideline, "objection", None)
    return GuidelineOut.of(
        guideline,
        means_as=means_as,
        objection=ObjectionOut.of(objection, by=objection.by.get_username()) if objection else None,
        created_by=guideline.created_by.get_username(),
        classes=classes,
    )


def _change(change: Change) -> dict[str, Any]:
    return ChangeOut.of(change, pieces=[PieceOut.of(piece) for piece in change.pieces])


def _presenter(project: Project) -> Callable[[Guideline], dict[str, Any]]:
    @cache
    def means_as() -> dict[int, int]:
        """Read behind the versions that are shown: in between a new one may be published."""
        first = meanings(project)
        numbers = dict(Guideline.objects.filter(project=project).values_list("pk", "number"))
        return {pk: numbers[of] for pk, of in first.items()}

    return lambda guideline: present(guideline, means_as()[guideline.pk])


def _whole(project: Project) -> Any:
    """The project's guidelines with all that :func:`present` shows, in as many queries however many there are."""
    definitions = ClassDefinition.objects.select_related("label_class", "merged_into").order_by("position")
    exemplars = Exemplar.objects.select_related("image").order_by("position", "pk")
    return (
        Guideline.objects.filter(project=project)
        .select_related("created_by", "objection__by")
        .prefetch_related(Prefetch("definitions", definitions), Prefetch("definitions__exemplars", exemplars))
    )


@route("projects/<slug:slug>/guideline", "api-guideline", "guidelines")
class GuidelineView(ApiView):
    @endpoint("get_guideline", "The guideline in force", may=Action.VIEW, returns=GuidelineOut)
    def get(self, request: Request, project: Project) -> Json:
        return _presenter(project)(_whole(project).get(pk=current_guideline(project).pk))


@route("projects/<slug:slug>/guidelines", "api-guidelines", "guidelines")
class GuidelinesView(ApiView):
    @endpoint(
        "list_guidelines",
        "All versions, oldest first",
        may=Action.VIEW,
        returns=paged("GuidelinePage", GuidelineOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_id(_whole(project), request, _presenter(project))

    @endpoint(
        "amend_guideline",
        "A new version. Reviewers amend criteria, checklist and exemplars, admins everything",
        may=Action.REVIEW,
        takes=GuidelineIn,
        returns=GuidelineOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        if set(given) - WORDING:
            must_be_allowed(request.user, project, Action.ADMIN)
        if set(given) <= {"note", "expected"}:
            raise Refused.invalid(None, _("Say what is to change: criteria, add, rename …"))
        if "wording_only" not in given and (price := price_of_meaning(project)).certificates:
            raise Refused(
                "say_meaning",
                _("Say with wording_only whether answers mean something else now: that %(price)s.")
                % {"price": price.says},
            )
        guideline = amend_guideline(project=project, by=signed_in(request), **given)
        return _presenter(project)(_whole(project).get(pk=guideline.pk))


@route("projects/<slug:slug>/guideline/price", "api-guideline-price", "guidelines")
class GuidelinePriceView(ApiView):
    @endpoint(
        "get_guideline_price", "What a change of meaning costs now", may=Action.REVIEW, returns=PriceOut
    )
    def get(self, request: Request, project: Project) -> Json:
        return PriceOut.of(price_of_meaning(project))


def _proposal_presenter(project: Project) -> Callable[[GuidelineProposal], dict[str, Any]]:
    current = current_guideline(project)

    def shown(proposal: GuidelineProposal) -> dict[str, Any]:
        seen = proposed(current, proposal)
        answer = seen.answer
        return ProposalOut.of(
            proposal,
            base=proposal.base.number,
            by=proposal.by.get_username(),
            state=seen.state,
            outdated=bool(seen.outdated),
            changes=[_change(each) for each in seen.changes],
            answer=answer
            and ProposalAnswerOut.of(
                answer,
                by=answer.by.get_username(),
                number=answer.guideline.number if answer.guideline else None,
            ),
        )

    return shown


@route("projects/<slug:slug>/guideline/proposals", "api-guideline-proposals", "guidelines")
class GuidelineProposalsView(ApiView):
    @endpoint(
        "list_guideline_proposals",
        "Changes that reviewers proposed, oldest first",
        may=Action.REVIEW,
        returns=paged("GuidelineProposalPage", ProposalOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_id(proposals_of(project), request, _proposal_presenter(project))

    @endpoint(
        "propose_guideline",
        "A change of what the guideline means, for an admin to agree to",
        may=Action.REVIEW,
        takes=ProposalIn,
        returns=ProposalOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        made = propose_guideline(project=project, by=signed_in(request), **given)
        return _proposal_presenter(project)(proposals_of(project).get(pk=made.pk))


@route(
    "projects/<slug:slug>/guideline/proposals/<int:proposal_id>/agree",
    "api-guideline-proposal-agree",
    "guidelines",
)
class ProposalAgreeView(ApiView):
    @endpoint(
        "agree_to_proposal",
        "The proposed change becomes a version, and what rests on the meaning falls",
        may=Action.ADMIN,
        takes=AgreeIn,
        returns=GuidelineOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json, proposal_id: int) -> Json:
        version = agree_to_proposal(project=project, proposal_id=proposal_id, by=signed_in(request), **given)
        return _presenter(project)(_whole(project).get(pk=version.pk))


@route(
    "projects/<slug:slug>/guideline/proposals/<int:proposal_id>/decline",
    "api-guideline-proposal-decline",
    "guidelines",
)
class ProposalDeclineView(ApiView):
    @endpoint(
        "decline_proposal",
        "The proposed change does not come, and whoever proposed it reads why",
        may=Action.ADMIN,
        takes=DeclineIn,
        returns=ProposalOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json, proposal_id: int) -> Json:
        decline_proposal(project=project, proposal_id=proposal_id, by=signed_in(request), note=given["note"])
        return _proposal_presenter(project)(proposals_of(project).get(pk=proposal_id))


@route("projects/<slug:slug>/guidelines/<int:number>/changes", "api-guideline-changes", "guidelines")
class GuidelineChangesView(ApiView):
    @endpoint(
        "get_guideline_changes",
        "What a version changed, word by word",
        may=Action.VIEW,
        returns=ChangesOut,
    )
    def get(self, request: Request, project: Project, number: int) -> Json:
        changes = changes_of(project, number)
        if changes is None:
            raise Http404(_("The guideline has no such version."))
        return {"number": number, "changes": [_change(each) for each in changes]}


@route("projects/<slug:slug>/guidelines/<int:number>/object", "api-guideline-object", "guidelines")
class GuidelineObjectView(ApiView):
    @endpoint(
        "object_to_wording",
        "A version that was published as another wording counts as a change of meaning",
        may=Action.ADMIN,
        takes=ObjectionIn,
        returns=GuidelineOut,
        status=201,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json, number: int) -> Json:
        version = object_to_wording(project=project, number=number, by=signed_in(request), note=given["note"])
        return _presenter(project)(_whole(project).get(pk=version.pk))
