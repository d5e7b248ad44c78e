"""Verdicts of an inspection, the word that overrules one, and rules that are tried before they take effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint, number_in_path
from labeling.gateway.api.shapes import Shape, StrictSerializer, paged
from labeling.gateway.pagination import page_by_id
from labeling.inspections.evidence_page import bound_says
from labeling.inspections.models import Inspection, Outcome, Protocol, Verdict
from labeling.inspections.services import overrule, try_rules
from labeling.inspections.telling import Telling, why_withheld
from labeling.inspections.trying import LISTED, MOST
from labeling.text.notes import LONGEST


class VerdictPartOut(Shape):
    shot = serializers.CharField()
    project = serializers.CharField()
    told = serializers.BooleanField(
        help_text="false while people may be asked about the photo, blind: then its answer, and who gave it, are not told"
    )
    answer = serializers.CharField(allow_null=True, help_text="key of the class")
    by = serializers.CharField(
        allow_null=True, help_text="people, reviewer, machine, assisted, sweep or imported"
    )
    decision = serializers.IntegerField(allow_null=True)
    certificate = serializers.IntegerField(allow_null=True)
    error = serializers.FloatField(allow_null=True, help_text="stated bound of its error")


class WholeVerdictOut(Shape):
    number = serializers.IntegerField()
    outcome = serializers.ChoiceField(Outcome.choices)
    name = serializers.CharField(help_text="as the protocol calls it")
    overruled_by = serializers.CharField(allow_null=True, help_text="null: the rules say so")
    reason = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField(help_text="of the protocol: whose rules")
    rule = serializers.IntegerField(
        allow_null=True,
        help_text="from 0: that decides, or that it waits for; null: none does, or not all that it rests on is told",
    )
    parts = VerdictPartOut(
        many=True,
        help_text="answers that it rests on, none while people may be asked about a photo of theirs, blind; "
        "of one that overrules: all that there were",
    )
    unknown = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()), help_text="[shot, project] it waits for"
    )
    missing = serializers.ListField(child=serializers.CharField(), help_text="required shots without a photo")
    bound = serializers.FloatField(
        allow_null=True,
        help_text="lower bound of how often the whole is right, where machines decided parts of it and all parts are told",
    )
    says = serializers.ListField(
        child=serializers.CharField(), help_text="the bound in plain words, or why nothing is told of it"
    )
    created_at = serializers.DateTimeField()


class OverruleVerdictIn(StrictSerializer):
    outcome = serializers.ChoiceField(Outcome.choices)
    reason = serializers.CharField(max_length=LONGEST)


class TrialIn(StrictSerializer):
    rules = serializers.JSONField(help_text="as a version of the protocol has them")
    otherwise = serializers.ChoiceField(
        [Outcome.HELD, Outcome.FAILED], default=Outcome.HELD, help_text="what follows when no rule holds"
    )
    most = serializers.IntegerField(
        min_value=1, max_value=MOST, default=MOST, help_text="the newest inspections that are tried"
    )


class CountOut(Shape):
    before = serializers.ChoiceField(Outcome.choices)
    after = serializers.ChoiceField(Outcome.choices)
    inspections = serializers.IntegerField()


class ChangedVerdictOut(Shape):
    id = serializers.IntegerField()
    external_id = serializers.CharField()
    before = serializers.ChoiceField(Outcome.choices)
    after = serializers.ChoiceField(Outcome.choices)


class TrialOut(Shape):
    tried = serializers.IntegerField()
    changed = serializers.IntegerField()
    overruled = serializers.IntegerField(help_text="of those tried: with a verdict of a person, which stays")
    counts = CountOut(many=True, help_text="by the rules in force, and by these")
    changes = ChangedVerdictOut(many=True, help_text=f"the newest that differ, {LISTED} at most")


def present_verdict(verdict: Verdict, telling: Telling) -> Json:
    told = verdict.told
    shown = telling.tells_why(verdict)
    parts = told.get("parts", []) if shown else []
    return WholeVerdictOut.of(
        verdict,
        name=verdict.version.name_of(verdict.outcome),
        overruled_by=verdict.by.get_username() if verdict.by else None,
        version=verdict.version.number,
        rule=told.get("rule") if shown else None,
        parts=[_part(part, told=telling.tells(part["project"], part["item"])) for part in parts],
        unknown=[each[:2] for each in told.get("unknown", ())],
        missing=told.get("missing", []),
        bound=verdict.bound if shown else None,
        says=[why_withheld()] if not shown else [] if verdict.by_id else bound_says(parts),
    )


def _part(part: Mapping[str, Any], *, told: bool) -> Json:
    names = ("answer", "by", "decision", "certificate", "error")
    return {"shot": part["shot"], "project": part["project"], "told": told} | {
        name: part[name] if told else None for name in names
    }


_INSPECTION = number_in_path("inspection_id")


@route("inspections/<int:inspection_id>/verdicts", "api-verdicts", "inspections")
class VerdictsView(ApiView):
    @endpoint(
        "list_verdicts",
        "Verdicts of an inspection, the oldest first; the last one is in force",
        may=Action.FIGURES,
        returns=paged("VerdictPage", WholeVerdictOut),
        parameters=[_INSPECTION],
    )
    def get(self, request: Request, inspection: Inspection) -> Json:
        telling = Telling([inspection], signed_in(request))
        rows = inspection.verdicts.select_related("by", "version")
        return page_by_id(rows, request, lambda verdict: present_verdict(verdict, telling), key="number")

    @endpoint(
        "overrule_verdict",
        "Overrule the verdict. It stands until an answer that was known then changes, or a shot gets another photo",
        may=Action.OVERRULE,
        takes=OverruleVerdictIn,
        returns=WholeVerdictOut,
        status=201,
        parameters=[_INSPECTION],
        errors=(409,),
    )
    def post(self, request: Request, inspection: Inspection, given: Json) -> Json:
        by = signed_in(request)
        verdict = overrule(inspection=inspection, by=by, **given)
        return present_verdict(verdict, Telling([inspection], by))


@route("protocols/<slug:protocol>/trial", "api-protocol-trial", "inspections")
class TrialView(ApiView):
    @endpoint(
        "try_rules",
        "Try rules on past inspections before they take effect: what would have changed. Nothing is written",
        may=Action.ADMIN,
        takes=TrialIn,
        returns=TrialOut,
    )
    def post(self, request: Request, protocol: Protocol, given: Json) -> Json:
        trial = try_rules(protocol=protocol, **given)
        return TrialOut.of(
            trial,
            counts=[
                {"before": before, "after": after, "inspections": n}
                for (before, after), n in sorted(trial.counts.items())
            ],
            changes=[
                {
                    "id": each.inspection.pk,
                    "external_id": each.inspection.external_id,
                    "before": each.before,
                    "after": each.after,
                }
                for each in trial.changes
            ],
        )
