"""A project as a template: what its newest guideline says, and how strictly it answers. No photo goes along."""

from __future__ import annotations

from typing import Any

from django.utils.text import slugify

from labeling.catalog.guidelines import read_entries
from labeling.catalog.models import ClassState, Project
from labeling.catalog.project_templates.template import KIND, PORTABLE, ProjectTemplate, read
from labeling.catalog.selectors import current_guideline
from labeling.catalog.strictness import PRESETS


def template_of(project: Project, *, key: str = "", name: str = "", says: str = "") -> ProjectTemplate:
    """``key`` and ``name``: of the template; empty is the project's.

    Raises :class:`Refused` ``invalid`` (422) where no new project could be made of it, as of one class that is left in use.
    """
    strictness = next((preset for preset in PRESETS if not preset.differs(project)), None)
    of_strictness = strictness.settings if strictness else {}
    usual = Project()
    settings = {
        setting: value
        for setting in PORTABLE
        if setting not in of_strictness and (value := getattr(project, setting)) != getattr(usual, setting)
    }
    content: dict[str, Any] = {
        "kind": KIND,
        "key": key
        or slugify(project.slug).replace("_", "-").strip("-"),  # of an old project it may hold more
        "name": name or project.name,
        "says": says,
        "question": project.question,
        "description": project.description,
        "strictness": strictness.key if strictness else "",
        "settings": settings,
        "classes": [
            _filled(
                {
                    "key": entry.key,
                    "name": entry.name,
                    "group": entry.group,
                    "criteria": entry.criteria,
                    "checklist": list(entry.checklist),
                }
            )
            for entry in read_entries(current_guideline(project)).values()
            if entry.state == ClassState.ACTIVE
        ],
    }
    return read(_filled(content))


def _filled(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value not in ("", [], {})}
