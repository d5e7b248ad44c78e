"""A protocol from its template, with the projects that it asks: all of it, or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import ClassDefinition, ClassState, Guideline, Project
from labeling.catalog.permissions import Action, may
from labeling.catalog.projects import free_slug
from labeling.catalog.services import create_project
from labeling.inspections.models import Outcome, Protocol
from labeling.inspections.protocol_templates.template import ProtocolTemplate
from labeling.inspections.protocols import create_protocol
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.lengths import longest


@transaction.atomic
def create_from_template(
    *, template: ProtocolTemplate, by: User, slug: str, name: str = "", asks: Mapping[str, str] | None = None
) -> Protocol:
    """``slug``: of the protocol; its projects are ``{slug}-{key}``. ``name``: empty is the template's. ``asks``: by the key
    of a check the address of a project that is there already, which is asked instead of a new one; it must have the classes
    that the rules name.

    Texts are those of the language in force. Raises :class:`Refused` as
    :func:`~labeling.inspections.protocols.create_protocol`.
    """
    name = name or template.said["name"]
    there = _there(template, by, {key: address for key, address in (asks or {}).items() if address})
    projects = {
        key: there.get(key) or _project(made.as_project(), key, slug, name, by)
        for key, made in template.projects.items()
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


def fitting(template: ProtocolTemplate, projects: Collection[Project]) -> dict[str, list[Project]]:
    """By the key of a check, those that have the classes that the rules name of it."""
    newest = Guideline.objects.filter(project__in=projects).order_by("project", "-number").distinct("project")
    active = ClassDefinition.objects.filter(guideline__in=newest.values("pk"), state=ClassState.ACTIVE)
    keys: dict[int, set[str]] = defaultdict(set)
    for project, key in active.values_list("guideline__project", "label_class__key"):
        keys[project].add(key)
    return {
        key: [each for each in projects if template.classes_needed(key) <= keys[each.pk]]
        for key in template.projects
    }


def _there(template: ProtocolTemplate, by: User, asks: Mapping[str, str]) -> dict[str, Project]:
    wrong: dict[str, Any] = {}
    mine = Project.objects.for_member(by).filter(slug__in=asks.values()).distinct()
    known = {each.slug: each for each in mine if may(by, each, Action.ADMIN)}
    fit = fitting(template, list(known.values()))
    for key, address in asks.items():
        if key not in template.projects:
            checks = ", ".join(template.projects)
            wrong[f"asks.{key}"] = _("The template has no such check. There are: %(keys)s.") % {
                "keys": checks
            }
        elif address not in known:
            told = _("There is no project “%(slug)s” of which you are an admin.")
            wrong[f"asks.{key}"] = told % {"slug": address}
        elif known[address] not in fit[key]:
            told = _("The rules need these classes of it: %(keys)s.")
            wrong[f"asks.{key}"] = told % {"keys": ", ".join(sorted(template.classes_needed(key)))}
    if wrong:
        raise Refused.invalid_fields(wrong)
    return {key: known[address] for key, address in asks.items()}


def _project(said: dict[str, Any], key: str, slug: str, name: str, by: User) -> Project:
    most = longest(Project, "name")
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
