"""Roles that follow the groups of single sign-on."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction

from labeling.catalog.activity import log_activity
from labeling.catalog.models import Membership, Project, Role
from labeling.people.models import User

logger = logging.getLogger(__name__)

#: Whoever has several groups gets the most that one of them gives.
_MORE = [Role.VIEWER, Role.LABELER, Role.REVIEWER, Role.ADMIN]
SUPERUSER = "superuser"


@transaction.atomic
def follow_groups(person: User, groups: frozenset[str]) -> None:
    """Give ``person`` what ``HILLTOP_SSO_ROLES`` says of their groups, and take back what it no longer does.

    Only projects that it names follow it; so does the right to manage the site, where it names that. The last who can
    manage a project or the site stays.
    """
    rules: Mapping[str, str | Mapping[str, str]] = settings.SSO_ROLES
    named = {slug for rule in rules.values() if not isinstance(rule, str) for slug in rule}
    given: dict[str, Role] = {}
    for group in groups & rules.keys():
        rule = rules[group]
        for slug, role in {} if isinstance(rule, str) else rule.items():
            given[slug] = max(given.get(slug, Role.VIEWER), Role(role), key=_MORE.index)
    for project in Project.objects.filter(slug__in=named, archived_at__isnull=True).select_for_update(
        no_key=True
    ):
        _set(project, person, given.get(project.slug))
    if SUPERUSER in rules.values():
        _manage(person, any(rules[group] == SUPERUSER for group in groups & rules.keys()))


def _set(project: Project, person: User, role: Role | None) -> None:
    mine = Membership.objects.filter(project=project, user=person).first()
    before = mine.role if mine else None
    if before == role:
        return
    others = Membership.objects.filter(project=project, role=Role.ADMIN).exclude(user=person)
    if before == Role.ADMIN and not others.exists():
        logger.warning("%s stays an admin of %s, whose last one they are", person.username, project.slug)
        return
    if role is None:
        Membership.objects.filter(project=project, user=person).delete()
        log_activity(project=project, kind="member_removed", actor=person, username=person.username)
        return
    Membership.objects.update_or_create(project=project, user=person, defaults={"role": role})
    log_activity(
        project=project, kind="role_set", actor=person, username=person.username, role=role, previous=before
    )


def _manage(person: User, may: bool) -> None:
    if person.is_superuser == may:
        return
    if not may and not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk).exists():
        logger.warning("%s stays an administrator of the site, whose last one they are", person.username)
        return
    person.is_superuser = may
    person.save(update_fields=["is_superuser"])
