"""Verdicts follow from what is known: a job looks at the inspections of which something changed, many at once.

A verdict is appended only where it differs from the one before. What a person overruled stands until something that they saw
changes: an answer that was known then is another one or is known no more, or a shot has another photo. What becomes known
later, and was not known then, changes nothing by itself (docs/decisions/0050-a-verdict-and-its-bound.md). An inspection of
which a photo was erased keeps its verdict: it can be judged no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from labeling.inspections import rules as ruling
from labeling.inspections.bounding import whole
from labeling.inspections.evidence import Evidence, Known, Reader
from labeling.inspections.models import Inspection, Outcome, ProtocolVersion, Verdict
from labeling.inspections.rules import Judged, Rule, judge

#: What an inspection is held for that a person holds, as ``Inspection.held_for`` keeps it.
HELD_BY_A_PERSON = [["", "", "overruled"]]


@dataclass(frozen=True)
class Looked:
    """``seen``: how many; ``appended``: inspection id -> its new verdict. Photos, by the project's address and by item id:
    those that are ``wanted`` of people, since when; those that are ``wanted_no_more``."""

    seen: int = 0
    appended: dict[int, Verdict] = field(default_factory=dict)
    wanted: dict[str, dict[int, datetime]] = field(default_factory=dict)
    wanted_no_more: dict[str, set[int]] = field(default_factory=dict)


class Judge:
    """Judges by the versions in force, or by rules that are only tried; for one piece of work."""

    def __init__(self, *, tried: tuple[list[Any], str] | None = None) -> None:
        self.reader = Reader()
        self._tried = tried
        self._rules: dict[tuple[int, int], list[Rule]] = {}

    def judge(self, inspection: Inspection, evidence: Evidence, version: ProtocolVersion) -> Judged:
        raw, otherwise = self._tried or (version.rules, version.otherwise)
        key = (version.pk, inspection.version_id)
        if key not in self._rules:
            self._rules[key] = ruling.read([self._as_today(rule) for rule in raw], evidence.asked)
        judged = judge(self._rules[key], otherwise, evidence.answers, evidence.missing)
        if inspection.submitted_at is None:  # photos are still to come, also of shots that have one
            return Judged(Outcome.HELD, None, unknown=judged.unknown, missing=judged.missing)
        return judged

    def _as_today(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "outcome": rule["outcome"],
            "when": [
                {**each, "is": [self.reader.counts_as(each["project"], key) for key in each["is"]]}
                for each in rule["when"]
            ],
        }


@transaction.atomic
def look(inspection_ids: Collection[int]) -> Looked:
    """Judge these inspections by the rules in force, and append what is new. Those that somebody is changing at this moment
    are left for the next look, which they ask for themselves."""
    rows = Inspection.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    inspections = list(rows.filter(pk__in=inspection_ids).select_related("verdict").order_by("pk"))
    found = Looked(seen=len(inspections))
    if not inspections:
        return found
    ids = [each.pk for each in inspections]
    Inspection.objects.filter(pk__in=ids).update(look_wanted_at=None)
    versions = in_force({each.protocol_id for each in inspections})
    judge_ = Judge()
    evidence = judge_.reader.read(ids)
    new: list[Verdict] = []
    waits_otherwise: list[Inspection] = []
    for inspection in inspections:
        version, seen = versions[inspection.protocol_id], evidence[inspection.pk]
        judged = judge_.judge(inspection, seen, version)
        verdict = _verdict(inspection, version, seen, judged)
        if _follows(inspection.verdict, verdict, seen):
            new.append(verdict)
        now = verdict if new and new[-1] is verdict else inspection.verdict
        _ask(found, inspection, now, seen, judged, away=version.protocol.archived_at is not None)
        held_for = _held_for(now, seen, judged)
        if held_for != inspection.held_for:
            inspection.held_for = held_for
            waits_otherwise.append(inspection)
    append(new)
    Inspection.objects.bulk_update(waits_otherwise, ["held_for"])
    found.appended.update({each.inspection_id: each for each in new})
    return found


def judged_today(inspections: Collection[Inspection]) -> dict[int, Judged]:
    """Inspection id -> what the rules in force say of it now. A held verdict is not appended anew for each answer."""
    versions = in_force({each.protocol_id for each in inspections})
    judge_ = Judge()
    evidence = judge_.reader.read([each.pk for each in inspections])
    return {
        each.pk: judge_.judge(each, evidence[each.pk], versions[each.protocol_id]) for each in inspections
    }


def in_force(protocol_ids: Collection[int]) -> dict[int, ProtocolVersion]:
    """Protocol id -> its version in force."""
    rows = ProtocolVersion.objects.filter(protocol__in=protocol_ids).select_related("protocol")
    return {
        each.protocol_id: each for each in rows.order_by("protocol_id", "-number").distinct("protocol_id")
    }


def append(verdicts: list[Verdict]) -> None:
    """Their inspections are locked."""
    made = Verdict.objects.bulk_create(verdicts)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inspections_inspection n SET verdict_id = v.id
            FROM inspections_verdict v WHERE v.id = ANY(%s) AND n.id = v.inspection_id
            """,
            [[each.pk for each in made]],
        )


def _verdict(inspection: Inspection, version: ProtocolVersion, evidence: Evidence, judged: Judged) -> Verdict:
    rests = [evidence.by_part[part] for part in judged.rests_on]
    told: dict[str, Any] = {
        "rule": judged.rule,
        "parts": [each.as_json() for each in rests],
        "unknown": [[*part, why_unknown(evidence.by_part.get(part))] for part in judged.unknown],
        "missing": list(judged.missing),
    }
    if inspection.submitted_at is None:
        told["submitted"] = False
    return Verdict(
        inspection=inspection,
        number=inspection.verdict.number + 1 if inspection.verdict else 1,
        outcome=judged.outcome,
        version=version,
        told=told,
        bound=whole(each.resting for each in rests).bound,
    )


def _held_for(verdict: Verdict | None, evidence: Evidence, judged: Judged) -> list[list[str]]:
    """[shot, project, why] of all that it is held for: without a project the shot has no photo, without a shot it is held
    though all is known."""
    if verdict is None or verdict.outcome != Outcome.HELD:
        return []
    if verdict.by_id is not None:
        return HELD_BY_A_PERSON
    unknown = [[*part, why_unknown(evidence.by_part.get(part))] for part in judged.unknown]
    return unknown + [[shot, "", ""] for shot in judged.missing] or [["", "", "no_rule"]]


def why_unknown(known: Known | None) -> str:
    """Why a check of a rule has no answer; one that this inspection's version does not ask is ``not_asked``."""
    return "not_asked" if known is None else known.why


def _follows(before: Verdict | None, after: Verdict, evidence: Evidence) -> bool:
    if before is None:
        return True
    if evidence.erased:
        return False
    if before.by_id is not None:
        return not stands(before, evidence)
    return _gist(before) != _gist(after)


def _gist(verdict: Verdict) -> tuple[Any, ...]:
    """What makes a verdict another one. What one that is held waits for changes all the time, and its page says it."""
    told = verdict.told
    return (
        verdict.outcome,
        verdict.version_id,
        told.get("rule"),
        told.get("parts"),
        told.get("missing"),
        told.get("submitted", True),
    )


def stands(overruling: Verdict, evidence: Evidence) -> bool:
    """Whether what the person saw who overruled is still so. ``told`` has all checks as they were, known or not."""
    for seen in overruling.told["parts"]:
        now = evidence.by_part.get((seen["shot"], seen["project"]))
        if now is None or now.item != seen["item"]:
            return False
        if seen["answer"] is not None and now.answer != seen["answer"]:
            return False
    return True


def _ask(
    found: Looked,
    inspection: Inspection,
    verdict: Verdict | None,
    evidence: Evidence,
    judged: Judged,
    *,
    away: bool,
) -> None:
    """Of one that is held people are asked what would decide it, and only that; nobody waits for one of a protocol that was
    put ``away``."""
    held = verdict is not None and verdict.outcome == Outcome.HELD and verdict.by_id is None and not away
    missing = set(judged.unknown) if held and inspection.submitted_at is not None else set()
    for known in evidence.known:
        if known.item is None or known.why != "open":
            continue
        if known.part in missing:
            since = found.wanted.setdefault(known.project, {})
            since[known.item] = min(since.get(known.item, inspection.happened_at), inspection.happened_at)
        elif inspection.outcome == Outcome.HELD:
            found.wanted_no_more.setdefault(known.project, set()).add(known.item)
