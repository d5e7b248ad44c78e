"""Recomputes each verdict and its bound from raw rows, without a line of the room's code.

Truth values are numbers, as Łukasiewicz and Kleene have them: false 0, unknown ½, true 1; *and* is the least, *or* the
greatest, *not* what is left to 1. A condition over no shot is unknown.

The bound of the whole: what the verdict names as its grounds must be so, and must suffice by itself for the outcome; then
the outcome is wrong only where one of the grounds is, so at most as often as their stated errors come to together
(Bonferroni 1936). Answers that people settled by their rule have none; where anything else rests on no certificate nothing
is stated.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import psycopg

from benchmarks.inspections.rows import Word, words

HALF = 0.5
Part = tuple[str, str]

_INSPECTIONS = """
SELECT n.id, n.protocol_id, n.version_id, n.submitted_at IS NOT NULL, v.outcome, n.outcome, v.told, v.bound, v.version_id,
       extract(epoch FROM (SELECT min(f.created_at) FROM inspections_verdict f WHERE f.inspection_id = n.id) - n.created_at)
FROM inspections_inspection n LEFT JOIN inspections_verdict v ON v.id = n.verdict_id ORDER BY n.id
"""
# Of each shot the last photo that serves, with its places in the projects that ask the shot.
_PHOTOS = """
WITH serves AS (
    SELECT DISTINCT ON (inspection_id, shot_id) inspection_id, shot_id, image_id FROM inspections_inspectionphoto
    WHERE cardinality(faults) = 0 AND image_id IS NOT NULL ORDER BY inspection_id, shot_id, number DESC)
SELECT s.inspection_id, h.key, p.slug, i.id
FROM serves s JOIN inspections_shot h ON h.id = s.shot_id
LEFT JOIN inspections_check k ON k.shot_id = h.id LEFT JOIN catalog_project p ON p.id = k.project_id
LEFT JOIN catalog_item i ON i.project_id = p.id AND i.image_id = s.image_id
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
    """``first_s``: seconds from an inspection to its first verdict. ``by_machine``: verdicts that rest on a machine's
    decision; ``bounds``: what is stated of those that have a bound. Of the lists, what is wrong in a few words."""

    inspections: int = 0
    verdicts: int = 0
    refused: int = 0
    by_machine: int = 0
    bounds: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    wrong_bound: list[str] = field(default_factory=list)
    passed_on_unknown: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """An inspection by the rules in force: what each shot is asked, what is known, which required shots have no photo."""

    rules: list[dict[str, Any]]
    otherwise: str
    asked: dict[str, set[str]]
    known: dict[Part, Word]
    missing: list[str]
    submitted: bool

    def values(self, only: set[Part] | None = None) -> list[tuple[str, float]]:
        """What each rule comes to, from all that is known or ``only`` from these answers."""
        answers = {part: word.answer for part, word in self.known.items() if only is None or part in only}
        return [(rule["outcome"], truth(rule, self.asked, answers)) for rule in self.rules]

    def due(self, only: set[Part] | None = None) -> str:
        return demanded(self.values(only), self.otherwise, bool(self.missing), self.submitted)


def check(url: str) -> Checked:
    found = Checked()
    with psycopg.connect(url) as line:
        line.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        rules = {row[0]: row[1:] for row in line.execute(_RULES)}
        shots: dict[int, dict[str, tuple[bool, list[str]]]] = defaultdict(dict)
        for version, key, required, asked in line.execute(_SHOTS):
            shots[version][key] = (required, asked)
        said = words(line)
        there: dict[int, set[str]] = defaultdict(set)
        known: dict[int, dict[Part, Word]] = defaultdict(dict)
        for inspection, shot, project, item in line.execute(_PHOTOS):
            there[inspection].add(shot)
            if item in said:
                known[inspection][shot, project] = said[item]
        found.verdicts = _one(line, "SELECT count(*) FROM inspections_verdict")
        found.refused = _one(
            line, "SELECT count(*) FROM inspections_inspectionphoto WHERE cardinality(faults) > 0"
        )
        for row in line.execute(_INSPECTIONS):
            pk, protocol, version, submitted, *verdict, first = row
            in_force, raw, otherwise = rules[protocol]
            case = Case(
                raw,
                otherwise,
                {key: set(asked) for key, (_required, asked) in shots[version].items()},
                known[pk],
                [key for key, (required, _a) in shots[version].items() if required and key not in there[pk]],
                submitted,
            )
            found.inspections += 1
            if first is not None:
                found.first_s.append(float(first))
            _judge(found, pk, case, in_force, *verdict)
    return found


def _judge(
    found: Checked,
    pk: int,
    case: Case,
    in_force: int,
    outcome: str | None,
    column: str | None,
    told: dict[str, Any],
    bound: float | None,
    judged_by: int | None,
) -> None:
    values, due = case.values(), case.due()
    found.outcomes[str(outcome)] += 1
    if outcome is None or not _reason(outcome, told):
        found.without.append(f"{pk}: {outcome} {json.dumps(told)}")
    if outcome is not None and (outcome != due or column != outcome or judged_by != in_force):
        found.wrong.append(f"{pk}: {outcome}, and {due} is due; {values} missing {case.missing}")
    passes = any(what == "passed" and value == 1 for what, value in values)
    fails = all(value == 0 for what, value in values if what == "failed")
    if outcome == "passed" and not (passes and fails and not case.missing):
        found.passed_on_unknown.append(f"{pk}: {values} missing {case.missing}")
    if outcome is not None:
        _weigh(found, pk, case, outcome, told["parts"], bound)


def _weigh(
    found: Checked, pk: int, case: Case, outcome: str, parts: list[dict[str, Any]], bound: float | None
) -> None:
    """The bound, by the certificates of the answers that the verdict names as its grounds."""
    grounds = {(part["shot"], part["project"]): part["answer"] for part in parts}
    so = all(part in case.known and case.known[part].answer == answer for part, answer in grounds.items())
    if not so or (outcome != "held" and case.due(set(grounds)) != outcome):
        found.wrong_bound.append(f"{pk}: {outcome} does not follow from {grounds} alone")
        return
    others = [case.known[part] for part in grounds if not case.known[part].strict]
    errors = [word.error for word in others if word.error is not None]
    found.by_machine += bool(errors)
    stated = max(0.0, 1.0 - sum(errors)) if errors and len(errors) == len(others) else None
    if (stated is None) != (bound is None) or abs((stated or 0.0) - (bound or 0.0)) > 1e-9:
        found.wrong_bound.append(f"{pk}: {bound} is stated, and {stated} is due; {grounds}")
    if bound is not None:
        found.bounds.append(bound)


def truth(rule: dict[str, Any], asked: dict[str, set[str]], answers: dict[Part, str]) -> float:
    return min(_condition(each, asked, answers) for each in rule["when"])


def _condition(said: dict[str, Any], asked: dict[str, set[str]], answers: dict[Part, str]) -> float:
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
