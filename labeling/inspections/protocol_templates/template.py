"""A protocol's template: what its file may say. A check is a project's template, named or written out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from labeling.catalog.project_templates.known import PROJECTS
from labeling.catalog.project_templates.shapes import Number, Rows, Shape, Switch, Table, Text, Word, Wrong
from labeling.catalog.project_templates.shelf import Template
from labeling.catalog.project_templates.template import KEY, SIGNS, ProjectTemplate, refuse_wrong
from labeling.catalog.project_templates.template import check as check_project
from labeling.inspections import rules as ruling
from labeling.inspections.models import Outcome, Protocol, ProtocolVersion, Shot
from labeling.inspections.protocols import MOST_SHOTS
from labeling.inspections.sentences import Names, rest_says, sentence
from labeling.refusals import Refused
from labeling.text.lengths import longest
from labeling.text.number_fields import limits

KIND = "protocol"
MOST_CHECKS = 20


class _AsIs:
    """What the rules' own reader checks."""

    def read(self, value: Any, place: str, wrong: Wrong) -> Any:
        return value


class _Check:
    """``template``: the key of one that is known here; or ``project``: one written out."""

    def read(self, value: Any, place: str, wrong: Wrong) -> dict[str, Any]:
        if isinstance(value, dict) and value.keys() == {"project"}:
            return {"project": check_project(value["project"], f"{place}.project", wrong)}
        read = Table({"template": KEY}, needed=("template",)).read(value, place, wrong)
        if "template" in read and f"{place}.template" not in wrong:
            try:
                PROJECTS.called_or_refused(read["template"])
            except Refused as refusal:
                wrong[f"{place}.template"] = refusal.message
        return read


def _word(model: Any, name: str) -> Shape:
    return Word(pattern=rf"[a-z0-9_-]{{1,{longest(model, name)}}}", rule=SIGNS)


def _number(name: str, *, whole: bool = True) -> Shape:
    ends = limits(Shot, name)
    return Number(ends["min_value"], ends["max_value"], whole=whole)


_SHOT = Table(
    {
        "key": _word(Shot, "key"),
        "name": Text(longest(Shot, "name")),
        "required": Switch(),
        "outline": _word(Shot, "outline"),
        "min_side": _number("min_side"),
        **{
            name: _number(name, whole=False)
            for name in ("min_sharpness", "min_brightness", "max_brightness", "max_tilt")
        },
        "advice": Text(longest(Shot, "advice"), empty=True),
        "checks": Rows(KEY, most=MOST_CHECKS),
    },
    needed=("key", "name"),
)
SHAPE = Table(
    {
        "kind": Word({KIND}),
        "key": KEY,
        "name": Text(longest(Protocol, "name")),
        "says": Text(300, empty=True),
        "asset_kind": _word(Protocol, "asset_kind"),
        **{
            f"{each}_name": Text(longest(ProtocolVersion, f"{each}_name"), empty=True)
            for each in Outcome.values
        },
        "otherwise": Word([Outcome.HELD.value, Outcome.FAILED.value]),
        "checks": Rows(_Check(), most=MOST_CHECKS),
        "shots": Rows(_SHOT, least=1, most=MOST_SHOTS),
        "rules": _AsIs(),
    },
    needed=("kind", "key", "name", "shots"),
)


@dataclass(frozen=True)
class ProtocolTemplate(Template):
    @cached_property
    def projects(self) -> dict[str, ProjectTemplate]:
        """What is asked: by the key that shots and rules use. Raises :class:`Refused` ``no_template`` where one is gone."""
        each = [
            ProjectTemplate(check["project"])
            if "project" in check
            else PROJECTS.called_or_refused(check["template"])
            for check in self.content.get("checks", [])
        ]
        return {template.key: template for template in each}

    @property
    def shape(self) -> ruling.Shape:
        shots = self.content["shots"]
        return ruling.Shape(
            asked={
                key: [shot["key"] for shot in shots if key in shot.get("checks", ())] for key in self.projects
            },
            classes={
                key: [each["key"] for each in made.content["classes"]] for key, made in self.projects.items()
            },
        )

    def classes_needed(self, key: str) -> set[str]:
        """Keys of the classes of this check that its rules name: a project that is asked instead must have them."""
        conditions = [each for rule in self.content.get("rules", []) for each in rule["when"]]
        return {name for each in conditions if each["project"] == key for name in each["is"]}

    def names(self, default: Mapping[str, str]) -> Names:
        """``default``: of outcomes that it does not name."""
        return Names(
            shots={shot["key"]: shot["name"] for shot in self.said["shots"]},
            projects={key: made.said["name"] for key, made in self.projects.items()},
            classes={
                (key, each["key"]): each["name"]
                for key, made in self.projects.items()
                for each in made.said["classes"]
            },
            outcomes={each: self.said.get(f"{each}_name") or default[each] for each in Outcome.values},
        )

    @property
    def sentences(self) -> list[str]:
        """Its rules, and what follows where none of them decides."""
        names = self.names({each.value: str(each.label) for each in Outcome})
        rules = ruling.read(self.content.get("rules", []), self.shape.asked)
        return [
            *(sentence(rule, names) for rule in rules),
            rest_says(self.content.get("otherwise", Outcome.HELD.value), names),
        ]


def read(given: Any) -> ProtocolTemplate:
    """Check what somebody wrote. Raises :class:`Refused` ``invalid`` (422); its fields are the places of what is wrong."""
    wrong: Wrong = {}
    content = check(given, "", wrong)
    refuse_wrong(wrong)
    return ProtocolTemplate(content, is_own=True)


def check(given: Any, place: str, wrong: Wrong) -> dict[str, Any]:
    """The same of one at a place; what is wrong is told in ``wrong``."""
    content = SHAPE.read(given, place, wrong)
    if wrong:
        return content
    template = ProtocolTemplate(content)
    if len(template.projects) < len(content.get("checks", [])):
        wrong["checks"] = _("Each check has a key of its own.")
    keys = [shot["key"] for shot in content["shots"]]
    if len(set(keys)) < len(keys):
        wrong["shots"] = _("Each shot has a key of its own.")
    for number, shot in enumerate(content["shots"], start=1):
        if shot.get("min_brightness", 0) > shot.get("max_brightness", math.inf):
            wrong[f"shots[{number}].min_brightness"] = _("The least brightness is above the greatest.")
        if strange := [key for key in shot.get("checks", []) if key not in template.projects]:
            wrong[f"shots[{number}].checks"] = _("This is none of its checks: %(names)s.") % {
                "names": ", ".join(strange)
            }
    try:
        ruling.parse(content.get("rules", []), template.shape)
    except Refused as refusal:
        # The rules' reader counts from 0, and parts places by points.
        wrong |= {
            re.sub(r"\.(\d+)", lambda found: f"[{int(found[1]) + 1}]", each): told
            for each, told in refusal.fields.items()
        }
    return content
