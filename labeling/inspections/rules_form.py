"""A protocol's rules as a table: a row is a condition, and rows with the same number are one rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from labeling.inspections.rules import FAILED, MOST_CONDITIONS, MOST_RULES, PASSED, Shape
from labeling.inspections.sentences import Names
from labeling.text.typed_numbers import whole

#: Rows for more conditions than there are.
SPARE = 2
_MOST = MOST_RULES * MOST_CONDITIONS
#: Between a project's address and a class's key, in what is chosen.
_OF = ":"


@dataclass
class Row:
    """``answers``: what is chosen, each a project's address and a class's key. ``wrong``: what is to be mended."""

    rule: int
    outcome: str = PASSED
    shots: list[str] = field(default_factory=list)
    of: str = "any"
    negated: bool = False
    answers: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Choices:
    """What the cells offer: shots as (key, name), and answers by project, (project's name, [(what is chosen, name)])."""

    shots: list[tuple[str, str]]
    answers: list[tuple[str, list[tuple[str, str]]]]


def choices(shape: Shape, names: Names, rows: Sequence[Row] = ()) -> Choices:
    """Also what ``rows`` choose and nobody is asked any more, or it would be taken out of a rule without a word."""
    asked = dict.fromkeys(shot for shots in shape.asked.values() for shot in shots)
    chosen = dict.fromkeys(each for row in rows for each in row.answers)
    return Choices(
        [(key, name) for key, name in names.shots.items() if key in asked],
        [
            (
                names.projects[project],
                _answers(project, shape.classes[project], names, chosen),
            )
            for project in shape.asked
        ],
    )


def _answers(
    project: str, keys: Collection[str], names: Names, chosen: Collection[str]
) -> list[tuple[str, str]]:
    offered = {f"{project}{_OF}{key}": names.classes[project, key] for key in keys}
    gone = [each for each in chosen if each.partition(_OF)[0] == project and each not in offered]
    return [
        *offered.items(),
        *((each, _("%(name)s (asked no more)") % {"name": _called(each, names)}) for each in gone),
    ]


def _called(answer: str, names: Names) -> str:
    project, _of, key = answer.partition(_OF)
    return names.classes.get((project, key), key)


def rows_of(rules: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [
        Row(
            rule=number,
            outcome=rule["outcome"],
            shots=list(each["shots"]),
            of=each["of"],
            negated=bool(each.get("not", False)),
            answers=[f"{each['project']}{_OF}{key}" for key in each["is"]],
        )
        for number, rule in enumerate(rules, 1)
        for each in rule["when"]
    ]


def with_spare(rows: list[Row]) -> list[Row]:
    following = max((row.rule for row in rows), default=0) + 1
    return rows + [Row(rule=following + n) for n in range(SPARE)]


def read_rows(sent: QueryDict) -> tuple[list[Row], list[dict[str, Any]], dict[str, Row]]:
    """The rows that choose an answer, the rules that they are, and place in the rules -> row. What is wrong with one by
    itself it says; a row without an answer is left out."""
    rows = []
    for n in range(min(whole(sent.get("rows", ""), digits=4) or 0, _MOST)):
        answers = sent.getlist(f"is-{n}")
        if answers:
            rows.append(
                Row(
                    rule=whole(sent.get(f"rule-{n}", ""), digits=3) or n + 1,
                    outcome=FAILED if sent.get(f"outcome-{n}") == FAILED else PASSED,
                    shots=sent.getlist(f"shots-{n}"),
                    of="every" if sent.get(f"of-{n}") == "every" else "any",
                    negated=sent.get(f"not-{n}") == "not",
                    answers=answers,
                )
            )
    rows.sort(key=lambda row: row.rule)
    rules: dict[int, dict[str, Any]] = {}
    places: dict[str, Row] = {}
    for row in rows:
        rule = rules.setdefault(row.rule, {"outcome": row.outcome, "when": []})
        if rule["outcome"] != row.outcome:
            row.wrong.append(_("One rule has one outcome: give this row another number."))
        projects = {each.partition(_OF)[0] for each in row.answers}
        if len(projects) > 1:
            row.wrong.append(
                _("Choose answers of one project in a row, and give another project a row of its own.")
            )
        number = list(rules).index(row.rule)
        places[f"rules.{number}.when.{len(rule['when'])}"] = row
        rule["when"].append(
            {
                "project": min(projects),
                "shots": row.shots,
                "of": row.of,
                "is": [each.partition(_OF)[2] for each in row.answers],
                "not": row.negated,
            }
        )
    return rows, list(rules.values()), places


def put_beside(places: Mapping[str, Row], fields: Mapping[str, Any]) -> list[str]:
    """What was refused stands beside the row that it is about; the rest is returned."""
    rest = []
    for place, message in fields.items():
        row = next((row for of, row in places.items() if f"{place}.".startswith(f"{of}.")), None)
        if row is None:
            rest.append(str(message))
        else:
            row.wrong.append(str(message))
    return rest
