"""A protocol as a template: its newest version, and each project that it asks, written out. No photo goes along."""

from __future__ import annotations

from typing import Any

from labeling.catalog.models import Project
from labeling.catalog.project_templates.of_project import template_of
from labeling.inspections.models import Outcome, Protocol
from labeling.inspections.protocol_templates.template import KIND, ProtocolTemplate, read
from labeling.inspections.protocols import described


def template_of_protocol(
    protocol: Protocol, *, key: str = "", name: str = "", says: str = ""
) -> ProtocolTemplate:
    """``key`` and ``name``: of the template; empty is the protocol's. Raises :class:`Refused` as
    :func:`~labeling.catalog.project_templates.of_project.template_of` of a project that it asks."""
    said = described(protocol.current)
    asked = sorted({slug for shot in said["shots"] for slug in shot["checks"]})
    projects = {each.slug: template_of(each) for each in Project.objects.filter(slug__in=asked)}
    content: dict[str, Any] = {
        "kind": KIND,
        "key": key or protocol.slug,
        "name": name or protocol.name,
        "says": says,
        "asset_kind": protocol.asset_kind,
        **{f"{each}_name": said[f"{each}_name"] for each in Outcome.values},
        "otherwise": said["otherwise"],
        "checks": [{"project": projects[slug].content} for slug in asked],
        "shots": [
            {
                **{field: value for field, value in shot.items() if value not in ("", None)},
                "checks": [projects[slug].key for slug in shot["checks"]],
            }
            for shot in said["shots"]
        ],
        "rules": [
            {**rule, "when": [{**each, "project": projects[each["project"]].key} for each in rule["when"]]}
            for rule in said["rules"]
        ],
    }
    return read({field: value for field, value in content.items() if value not in ("", [])})
