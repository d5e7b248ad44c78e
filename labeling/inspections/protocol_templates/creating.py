"""A protocol from its template, with the projects that it asks: all of it, or nothing."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from labeling.catalog.models import Project
from labeling.catalog.projects import free_slug
from labeling.catalog.services import create_project
from labeling.inspections.models import Outcome, Protocol
from labeling.inspections.protocol_templates.template import ProtocolTemplate
from labeling.inspections.protocols import create_protocol
from labeling.people.models import User
from labeling.refusals import Refused


@transaction.atomic
def create_from_template(*, template: ProtocolTemplate, by: User, slug: str, name: str = "") -> Protocol:
    """``slug``: of the protocol; its projects are ``{slug}-{key}``. ``name``: empty is the template's.

    Texts are those of the language in force. Raises :class:`Refused` as
    :func:`~labeling.inspections.protocols.create_protocol`.
    """
    name = name or template.said["name"]
    projects = {
        key: _project(made.as_project(), key, slug, name, by) for key, made in template.projects.items()
    }
    return create_protocol(
        by=by,
        slug=slug,
        name=name,
        shots=[
            {**shot, "checks": [projects[key].slug for key in shot.get("checks", [])]}
            for shot in template.said["shots"]
        ],
        rules=[
            {**rule, "when": [{**each, "project": projects[each["project"]].slug} for each in rule["when"]]}
            for rule in template.content.get("rules", [])
        ],
        **{
            field: template.said[field]
            for field in ("asset_kind", "otherwise", *(f"{each}_name" for each in Outcome.values))
            if field in template.said
        },
    )


def _project(said: dict[str, Any], key: str, slug: str, name: str, by: User) -> Project:
    most = Project._meta.get_field("name").max_length or 0
    title = f"{said['name']} · {name}"
    try:
        return create_project(
            slug=free_slug(f"{slug}-{key}"[:60].strip("-")),
            by=by,
            **{**said, "name": title if len(title) <= most else said["name"]},
        )
    except Refused as refusal:
        # The fields are the project's; whoever creates a protocol finds none of them.
        raise Refused.invalid(None, f"{said['name']}: {refusal.message}") from None
