"""A project's template: what its file may say, and what it becomes in a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy

from labeling.catalog.guidelines import (
    LONGEST_CHECK,
    LONGEST_CRITERIA,
    MAX_CHECKS,
    MAX_CLASSES,
    first_schema,
)
from labeling.catalog.models import ClassDefinition, Project
from labeling.catalog.project_templates.shapes import (
    Lines,
    Number,
    Rows,
    Shape,
    Switch,
    Table,
    Text,
    Word,
    Wrong,
)
from labeling.catalog.project_templates.shelf import Template
from labeling.catalog.projects import SETTINGS, SLUG, SLUG_RULE, wrong_settings
from labeling.catalog.strictness import PRESETS, Preset, preset_called
from labeling.refusals import Refused
from labeling.text.lengths import longest

KIND = "project"
#: Settings that mean the same at another site: neither its money and time limits nor the networks that it has.
PORTABLE = sorted(
    SETTINGS
    - {"name", "question", "description", "backbone", "further_backbones"}
    - {"hourly_cost", "currency", "target_per_decision", "keep_days"}
)
_LARGEST = 10**9
KEY = Word(pattern=SLUG, rule=SLUG_RULE)
SIGNS = gettext_lazy("Use small letters, digits, - and _ only: at most 60 for a class, 40 for a shot.")
CLASS_KEY = Word(pattern=r"[a-z0-9_-]{1,60}", rule=SIGNS)


def _setting(name: str) -> Shape:
    """By the kind of its column; what its value may be, :func:`~labeling.catalog.projects.wrong_settings` says."""
    match Project._meta.get_field(name):
        case models.BooleanField():
            return Switch()
        case models.FloatField():
            return Number(0, _LARGEST, whole=False)
        case models.IntegerField():
            return Number(0, _LARGEST)
        case _:
            return Text(80)


_CLASS = Table(
    {
        "key": CLASS_KEY,
        "name": Text(longest(ClassDefinition, "name")),
        "group": Text(longest(ClassDefinition, "group"), empty=True),
        "criteria": Text(LONGEST_CRITERIA, empty=True),
        "checklist": Lines(MAX_CHECKS, LONGEST_CHECK),
    },
    needed=("key", "name"),
)
SHAPE = Table(
    {
        "kind": Word({KIND}),
        "key": KEY,
        "name": Text(longest(Project, "name")),
        "says": Text(300, empty=True),
        "question": Text(longest(Project, "question")),
        "description": Text(20_000, empty=True),
        "strictness": Word([preset.key for preset in PRESETS]),
        "settings": Table({name: _setting(name) for name in PORTABLE}),
        "classes": Rows(_CLASS, least=2, most=MAX_CLASSES),
    },
    needed=("kind", "key", "name", "question", "classes"),
)


@dataclass(frozen=True)
class ProjectTemplate(Template):
    @property
    def preset(self) -> Preset | None:
        return preset_called(self.content.get("strictness", ""))

    @property
    def settings(self) -> dict[str, Any]:
        """Of the strictness that it names, and those that it names itself."""
        return {**(self.preset.settings if self.preset else {}), **self.content.get("settings", {})}

    def as_project(self) -> dict[str, Any]:
        """As :func:`~labeling.catalog.projects.create_project` takes it, but for ``slug`` and ``by``."""
        return {
            "name": self.said["name"],
            "question": self.said["question"],
            "description": self.said.get("description", ""),
            "classes": self.said["classes"],
            **self.settings,
        }


def read(given: Any, *, is_own: bool = True) -> ProjectTemplate:
    """Check what somebody wrote. Raises :class:`Refused` ``invalid`` (422); its fields are the places of what is wrong."""
    wrong: Wrong = {}
    content = check(given, "", wrong)
    refuse_wrong(wrong)
    return ProjectTemplate(content, is_own)


def check(given: Any, place: str, wrong: Wrong) -> dict[str, Any]:
    """The same of a template at a place of something larger; what is wrong is told in ``wrong``."""
    before = len(wrong)
    content = SHAPE.read(given, place, wrong)
    if len(wrong) > before:
        return content
    at = f"{place}." if place else ""
    template = ProjectTemplate(content)
    for name, told in wrong_settings(template.settings).items():
        wrong[f"{at}settings.{name}"] = told
    try:
        first_schema(template.said["classes"])
    except Refused as refusal:
        wrong[f"{at}classes"] = refusal.message
    return content


def refuse_wrong(wrong: Wrong) -> None:
    if wrong:
        raise Refused.invalid_fields(
            dict(wrong), " ".join(f"{place or '·'}: {told}" for place, told in wrong.items())
        )
