"""Recomputes each verdict from raw rows, without a line of the room's code.

Truth values are numbers, as Łukasiewicz and Kleene have them: false 0, unknown ½, true 1; *and* is the least, *or* the
greatest, *not* what is left to 1. A condition over no shot is unknown.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import psycopg

HALF = 0.5

_INSPECTIONS = """
SELECT n.id, n.protocol_id, n.version_id, n.submitted_at IS NOT NULL, v.outcome, n.outcome, v.told, v.version_id,
       extract(epoch FROM (SELECT min(f.created_at) FROM inspections_verdict f WHERE f.inspection_id = n.id) - n.created_at)
FROM inspections_inspection n LEFT JOIN inspections_verdict v ON v.id = n.verdict_id ORDER BY n.id
"""
# Of each shot the last photo that serves, with what is settled of it in each project that asks the shot.
_ANSWERS = """
WITH serves AS (
    SELECT DISTINCT ON (inspection_id, shot_id) inspection_id, shot_id, image_id FROM inspections_inspectionphoto
    WHERE cardinality(faults) = 0 AND image_id IS NOT NULL ORDER BY inspection_id, shot_id, number DESC)
SELECT s.inspection_id, h.key, p.slug, t.kind, c.key
FROM serves s JOIN inspections_shot h ON h.id = s.shot_id
LEFT JOIN inspections_check k ON k.shot_id = h.id LEFT JOIN catalog_project p ON p.id = k.project_id
LEFT JOIN catalog_item i ON i.project_id = p.id AND i.image_id = s.image_id
LEFT JOIN truth_groundtruth t ON t.item_id = i.id
     AND NOT EXISTS (SELECT 1 FROM truth_groundtruth later WHERE later.supersedes_id = t.id)
LEFT JOIN catalog_labelclass c ON c.id = t.label_class_id
"""
_SHOTS = """
SELECT h.version_id, h.key, h.required, array_remove(array_agg(p.slug), NULL)
FROM inspections_shot h LEFT JOIN inspections_check k ON k.shot_id = h.id LEFT JOIN catalog_project p ON p.id = k.project_id
GROUP BY h.version_id, h.key, h.required
"""
_RULES = """
SELECT DISTINCT ON (protocol_id) protocol_id, id, rules, otherwise FROM inspections_protocolversion
ORDER BY protocol_id, number DESC
"""


@dataclass
class Checked:
    """``first_s``: seconds from an inspection to its first verdict. Of the lists, what is wrong in a few words."""

    inspections: int = 0
    verdicts: int = 0
    refused: int = 0
    first_s: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    passed_on_unknown: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


def check(url: str) -> Checked:
    """Raises :class:`SystemExit` where a machine has decided, which is not recomputed here."""
    found = Checked()
    with psycopg.connect(url) as line:
        if line.execute("SELECT 1 FROM frontier_automaticdecision LIMIT 1").fetchone():
            raise SystemExit("A machine has decided here; this checker knows people's words only.")
        rules = {row[0]: row[1:] for row in line.execute(_RULES)}
        shots: dict[int, dict[str, tuple[bool, list[str]]]] = defaultdict(dict)
        for version, key, required, asked in line.execute(_SHOTS):
            shots[version][key] = (required, asked)
        there: dict[int, set[str]] = defaultdict(set)
        answers: dict[int, dict[tuple[str, str], str]] = defaultdict(dict)
        for inspection, shot, project, kind, key in line.execute(_ANSWERS):
            there[inspection].add(shot)
            if kind == "class":
                answers[inspection][shot, project] = key
        found.verdicts = _one(line, "SELECT count(*) FROM inspections_verdict")
        found.refused = _one(
            line, "SELECT count(*) FROM inspections_inspectionphoto WHERE cardinality(faults) > 0"
        )
        for row in line.execute(_INSPECTIONS):
            pk, protocol, version, submitted, outcome, column, told, judged_by, first = row
            in_force, raw, otherwise = rules[protocol]
            missing = [k for k, (required, _a) in shots[version].items() if required and k not in there[pk]]
            asked = {k: set(a) for k, (_r, a) in shots[version].items()}
            values = [(rule["outcome"], truth(rule, asked, answers[pk])) for rule in raw]
            due = demanded(values, otherwise, bool(missing), submitted)
            found.inspections += 1
            found.outcomes[str(outcome)] += 1
            if first is not None:
                found.first_s.append(float(first))
            if outcome is None or not _reason(outcome, told):
                found.without.append(f"{pk}: {outcome} {json.dumps(told)}")
            if outcome is not None and (outcome != due or column != outcome or judged_by != in_force):
                found.wrong.append(f"{pk}: {outcome}, and {due} is due; {values} missing {missing}")
            passes = any(what == "passed" and value == 1 for what, value in values)
            fails = all(value == 0 for what, value in values if what == "failed")
            if outcome == "passed" and not (passes and fails and not missing):
                found.passed_on_unknown.append(f"{pk}: {values} missing {missing}")
    return found


def truth(rule: dict[str, Any], asked: dict[str, set[str]], answers: dict[tuple[str, str], str]) -> float:
    return min(_condition(each, asked, answers) for each in rule["when"])


def _condition(
    said: dict[str, Any], asked: dict[str, set[str]], answers: dict[tuple[str, str], str]
) -> float:
    project = said["project"]
    over = said["shots"] or [key for key, projects in asked.items() if project in projects]
    values = []
    for shot in over:
        answer = answers.get((shot, project))
        value = HALF if answer is None else float(answer in said["is"])
        values.append(1 - value if said.get("not") else value)
    if not values:
        return HALF
    return max(values) if said["of"] == "any" else min(values)


def demanded(values: list[tuple[str, float]], otherwise: str, missing: bool, submitted: bool) -> str:
    failing = [value for what, value in values if what == "failed"]
    passing = [value for what, value in values if what == "passed"]
    if not submitted:
        return "held"
    if 1 in failing:
        return "failed"
    if HALF in failing or missing:
        return "held"
    if 1 in passing:
        return "passed"
    return "held" if HALF in passing else otherwise


def _reason(outcome: str, told: dict[str, Any]) -> bool:
    """Whether it says on what it rests: a rule with answers; or, held, what is not known or not there."""
    if outcome == "held":
        return bool(told.get("unknown") or told.get("missing") or told.get("parts"))
    return bool(told.get("parts"))


def _one(line: psycopg.Connection[Any], query: str) -> int:
    (found,) = line.execute(query).fetchone() or (0,)
    return int(found)
