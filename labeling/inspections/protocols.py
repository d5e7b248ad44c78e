"""Protocols are made, and changed by a version that says everything anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may, may_create_projects
from labeling.catalog.projects import RESERVED, SLUG, SLUG_RULE
from labeling.catalog.selectors import active_classes
from labeling.catalog.services import log_activity
from labeling.database.locks import hold_name
from labeling.inspections import rules as ruling
from labeling.inspections.catching_up import ask_earlier, newly_asked
from labeling.inspections.models import Check, Outcome, Protocol, ProtocolVersion, Shot
from labeling.inspections.wanting import want_look_at_held
from labeling.people.models import User
from labeling.refusals import Refused

MOST_SHOTS = 40
#: What a shot says of itself; beside it, ``checks``: addresses of the projects that ask it.
SHOT_FIELDS = (
    "key",
    "name",
    "required",
    "outline",
    "min_side",
    "min_sharpness",
    "min_brightness",
    "max_brightness",
    "max_tilt",
    "advice",
)
#: What a protocol has beside its versions, and changes with them.
_LASTING = ("name", "shots_project", "settle_within_hours")
_SAID = ("passed_name", "held_name", "failed_name", "otherwise", "rules")


@transaction.atomic
def create_protocol(
    *,
    by: User,
    slug: str,
    name: str,
    shots: Sequence[Mapping[str, Any]],
    rules: Sequence[Any] = (),
    asset_kind: str = "car",
    shots_project: Project | None = None,
    settle_within_hours: int | None = None,
    otherwise: str = Outcome.HELD,
    passed_name: str = "",
    held_name: str = "",
    failed_name: str = "",
    note: str = "",
) -> Protocol:
    """A new protocol with version 1. ``by`` must be a superuser, and admin of each project that it asks.

    ``shots``: dicts of :data:`SHOT_FIELDS`, ``key`` and ``name`` at least, and ``checks``. ``rules``: as
    :mod:`labeling.inspections.rules` reads them. ``settle_within_hours``: the service level
    (:mod:`labeling.inspections.process.service_level`). Raises :class:`Refused` ``invalid`` (422), ``forbidden`` (403).
    """
    if not may_create_projects(by):
        raise Refused(
            "forbidden", _("Only an administrator of the whole site may do this. Ask one."), status=403
        )
    hold_name("inspections.protocol", slug.replace("\0", ""))
    protocol = Protocol(
        slug=slug,
        name=name,
        asset_kind=asset_kind,
        shots_project=shots_project,
        settle_within_hours=settle_within_hours,
        created_by=by,
    )
    fields = _wrong(protocol)
    if not re.fullmatch(SLUG, slug):
        fields["slug"] = str(SLUG_RULE)
    elif slug in RESERVED or Protocol.objects.filter(slug__iexact=slug).exists():
        fields["slug"] = _("The address “%(slug)s” is taken. Choose another one.") % {"slug": slug}
    if fields:
        raise Refused.invalid_fields(fields)
    protocol.save()
    said = {
        "passed_name": passed_name or pgettext("verdict", "Passed"),
        "held_name": held_name or pgettext("verdict", "Held"),
        "failed_name": failed_name or pgettext("verdict", "Failed"),
        "otherwise": otherwise,
        "rules": list(rules),
    }
    _publish(protocol, by, 1, note or _("First version"), said, shots)
    return protocol


@transaction.atomic
def publish_version(
    *,
    protocol: Protocol,
    by: User,
    note: str,
    expected: int | None = None,
    photos_of_days: int | None = None,
    **changes: Any,
) -> ProtocolVersion:
    """A version with these ``changes``, as of :func:`create_protocol`; what is left out stays as it is in force. It is in
    force at once: what is held is judged by its rules, all else once a part of it changes. Inspections keep the version
    that they were photographed by.

    ``expected``: the number of the version that was seen when the changes were made. ``photos_of_days``: of inspections of
    so many days before, photos come into the projects that are asked anew (:mod:`labeling.inspections.catching_up`).
    Raises :class:`Refused` ``invalid`` (422), ``forbidden`` (403), ``version_moved`` (409) where another one is in force.
    """
    if not note.strip():
        raise Refused.invalid("note", _("Say what changes, and why."))
    if unknown := sorted(changes.keys() - {*_SAID, *_LASTING, "shots"}):
        raise Refused.invalid_fields({name: _("There is no such setting.") for name in unknown})
    protocol = Protocol.objects.select_for_update(no_key=True).get(pk=protocol.pk)
    before = described(protocol.current)
    if expected is not None and expected != before["number"]:
        raise Refused(
            "version_moved",
            _(
                "Somebody published version %(number)d while you were editing. Look at it, then apply your change again."
            )
            % {"number": before["number"]},
        )
    for name in _LASTING:
        if name in changes:
            setattr(protocol, name, changes[name])
    if fields := _wrong(protocol):
        raise Refused.invalid_fields(fields)
    protocol.save(update_fields=_LASTING)
    said = {name: changes.get(name, before[name]) for name in _SAID}
    asked = {slug for shot in before["shots"] for slug in shot["checks"]}
    shots = changes.get("shots", before["shots"])
    version = _publish(protocol, by, before["number"] + 1, note, said, shots, asked)
    if photos_of_days:
        ask_earlier(version=version, asked=newly_asked(before["shots"], shots), days=photos_of_days, by=by)
    want_look_at_held(protocol.pk)
    return version


def described(version: ProtocolVersion) -> dict[str, Any]:
    """What it says, as JSON that makes the same again."""
    shots = version.shots.prefetch_related("checks__project")
    return {name: getattr(version, name) for name in ("number", "note", *_SAID)} | {
        "shots": [
            {name: getattr(shot, name) for name in SHOT_FIELDS}
            | {"checks": sorted(check.project.slug for check in shot.checks.all())}
            for shot in shots
        ]
    }


def shape_of(shots: Iterable[Mapping[str, Any]], projects: Iterable[Project]) -> ruling.Shape:
    """What rules may speak of: projects with the shots that they are asked of, and with their classes."""
    said = list(shots)
    return ruling.Shape(
        asked={
            project.slug: [shot["key"] for shot in said if project.slug in shot.get("checks", ())]
            for project in projects
        },
        classes={
            project.slug: [row.label_class.key for row in active_classes(project)] for project in projects
        },
    )


def _publish(
    protocol: Protocol,
    by: User,
    number: int,
    note: str,
    said: Mapping[str, Any],
    shots: Sequence[Mapping[str, Any]],
    asked: Collection[str] = (),
) -> ProtocolVersion:
    """``asked``: addresses of the projects that the version before asks: they go on, also when they are archived."""
    version = ProtocolVersion(protocol=protocol, number=number, note=note.strip(), created_by=by, **said)
    fields = _wrong(version)
    if said["otherwise"] == Outcome.PASSED:
        fields["otherwise"] = _("Nothing passes without a rule that says so: choose held or failed.")
    projects = _projects_of(shots, by, fields, asked)
    made = _shots_of(version, shots, fields)
    if not fields:
        try:
            ruling.parse(said["rules"], shape_of(shots, projects.values()))
        except Refused as wrong:
            fields |= wrong.fields
    if fields:
        raise Refused.invalid_fields(fields)
    version.save()
    Shot.objects.bulk_create(made)
    Check.objects.bulk_create(
        Check(shot=shot, project=projects[slug])
        for shot, given in zip(made, shots, strict=True)
        for slug in dict.fromkeys(given.get("checks", ()))
    )
    for project in projects.values():
        log_activity(
            project=project, kind="protocol_published", actor=by, protocol=protocol.slug, number=number
        )
    return version


def _projects_of(
    shots: Sequence[Mapping[str, Any]], by: User, fields: dict[str, Any], before: Collection[str]
) -> dict[str, Project]:
    """By address. Those that ``by`` is no admin of are as good as none; so are archived ones, but for those ``before``."""
    asked = {slug for shot in shots for slug in shot.get("checks", ())}
    open_ = Q(archived_at__isnull=True) | Q(slug__in=before)
    found = {each.slug: each for each in Project.objects.filter(open_, slug__in=asked)}
    for slug in sorted(asked):
        if slug not in found or not may(by, found[slug], Action.ADMIN):
            fields["checks"] = _("There is no project “%(slug)s” of which you are an admin.") % {"slug": slug}
    return found


def _shots_of(
    version: ProtocolVersion, shots: Sequence[Mapping[str, Any]], fields: dict[str, Any]
) -> list[Shot]:
    if not 1 <= len(shots) <= MOST_SHOTS:
        fields["shots"] = _("From 1 to %(most)d shots.") % {"most": MOST_SHOTS}
        return []
    made = []
    for position, given in enumerate(shots):
        shot = Shot(version=version, position=position, **{n: given[n] for n in SHOT_FIELDS if n in given})
        if wrong := _wrong(shot):
            fields[f"shots.{position}"] = " ".join(f"{name}: {text}" for name, text in wrong.items())
        elif shot.min_brightness > shot.max_brightness:
            fields[f"shots.{position}"] = _("The least brightness is above the greatest.")
        made.append(shot)
    keys = [shot.key for shot in made]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        fields["shots"] = _("Each shot has a key of its own: %(keys)s is there twice.") % {
            "keys": ", ".join(twice)
        }
    return made


def _wrong(row: Protocol | ProtocolVersion | Shot) -> dict[str, Any]:
    """Field to what is wrong with it."""
    try:
        row.full_clean(
            exclude=["protocol", "version", "rules"], validate_unique=False, validate_constraints=False
        )
    except ValidationError as error:
        return {name: " ".join(messages) for name, messages in error.message_dict.items()}
    return {}
