"""What the machine decided, what became of it, and the last word of people."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.frontier.decisions.selectors import became, decisions
from labeling.frontier.models import AutomaticDecision, DecisionOverruled, Mode
from labeling.frontier.services import overrule
from labeling.frontier.standing import StandsUnder, of_decision
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint, number_in_path
from labeling.gateway.api.fields import ClassKey
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_id


class DecisionOut(Shape):
    id = serializers.IntegerField()
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    mode = serializers.ChoiceField(Mode.choices)
    state = serializers.ChoiceField(["standing", "shadow", "overruled", "suspended"])
    margin = serializers.FloatField()
    scores = serializers.DictField(child=serializers.FloatField(), help_text="class key → probability")
    model = serializers.IntegerField()
    guideline = serializers.IntegerField()
    certificate = serializers.IntegerField()
    precision = serializers.FloatField(
        help_text="stated of what the machine decides by itself; of a delivered set its floor"
    )
    promise = serializers.ChoiceField(
        StandsUnder.choices, allow_blank=True, help_text="machine or delivered; empty where it does not stand"
    )
    stated = serializers.FloatField(allow_null=True, help_text="precision that is stated of that promise")
    created_at = serializers.DateTimeField()
    overruled_by = serializers.CharField(allow_null=True)
    overruled_because = serializers.CharField(allow_null=True)
    class_ = serializers.CharField()


class OverruleIn(StrictSerializer):
    reason = like(DecisionOverruled, "reason")
    class_ = ClassKey(required=False, allow_blank=True)


def present_decision(project: Project, decision_id: int) -> Json:
    return _presenter(project)(decisions(project).get(pk=decision_id))


def _presenter(project: Project) -> Callable[[AutomaticDecision], Json]:
    """How to show this project's decisions: class keys are read once, not for each, and behind the decisions."""

    @cache
    def keys() -> dict[int, str]:
        return dict(project.label_classes.values_list("pk", "key"))

    return lambda decision: _present(decision, keys())


def _present(decision: AutomaticDecision, keys: dict[int, str]) -> Json:
    try:
        overruled = decision.overruled
    except ObjectDoesNotExist:
        overruled = None
    classes = [keys[class_id] for class_id in decision.model_version.classes]
    state = became(decision)
    promise, stated = of_decision(decision) if state == "standing" else ("", None)
    return DecisionOut.of(
        decision,
        sha256=decision.item.image.sha256,
        name=decision.item.name,
        state=state,
        class_=decision.label_class.key,
        margin=decision.confidence,
        scores=dict(zip(classes, decision.probabilities, strict=True)),
        model=decision.model_version.number,
        guideline=decision.certificate.guideline.number,
        certificate=decision.certificate_id,
        precision=decision.certificate.precision,
        promise=promise,
        stated=stated,
        overruled_by=overruled.by.get_username() if overruled else None,
        overruled_because=overruled.reason if overruled else None,
    )


@route("projects/<slug:slug>/decisions", "api-decisions", "frontier")
class DecisionsView(ApiView):
    @endpoint(
        "list_decisions",
        "Automatic decisions, shadow ones too, with what became of them; never ground truths. One whose photo people "
        "are asked about, blind, is listed when they have settled it",
        may=Action.OVERRULE,
        returns=paged("DecisionPage", DecisionOut),
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_id(decisions(project).told(), request, _presenter(project))


@route("projects/<slug:slug>/decisions/<int:decision_id>/overrule", "api-overrule", "frontier")
class OverruleView(ApiView):
    @endpoint(
        "overrule_decision",
        "Take an automatic decision back; the photo goes to people",
        may=Action.OVERRULE,
        takes=OverruleIn,
        returns=DecisionOut,
        parameters=[number_in_path("decision_id")],
        errors=(409,),
    )
    def post(self, request: Request, project: Project, decision_id: int, given: Json) -> Json:
        decision = AutomaticDecision.objects.filter(project=project, pk=decision_id).first()
        if decision is None:
            raise Http404(_("There is no such decision."))
        class_key = given.get("class", "")
        overrule(decision=decision, by=signed_in(request), reason=given["reason"], class_key=class_key)
        return present_decision(project, decision_id)
