"""Who may do what with a protocol: what their roles in all projects allow that its version in force asks
(docs/decisions/0049-the-least-role.md)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog.models import Membership, Project, Role
from labeling.catalog.permissions import Action, actions_in_each, allowed_by, least_role
from labeling.database.read_once import read_once
from labeling.inspections.models import Check, Inspection, Protocol, ProtocolVersion
from labeling.people.models import User


@read_once
def actions_in(user: Any, protocol: Protocol) -> frozenset[Action] | None:
    """What the user may do there; ``None`` for strangers, who are no member of one of its projects."""
    asked = projects_asked(protocol)
    return actions_in_each(user, asked) if asked else _in_one_that_asks_nothing(user, protocol)


def _in_one_that_asks_nothing(user: Any, protocol: Protocol) -> frozenset[Action] | None:
    """It is its maker's, and the site's."""
    mine = protocol.created_by_id == user.pk or user.is_superuser
    return frozenset(Action) if mine and user.is_active else None


@read_once
def projects_asked(protocol: Protocol) -> frozenset[int]:
    """Ids of the projects that its version in force asks."""
    newest = ProtocolVersion.objects.filter(protocol=protocol).order_by("-number").values("pk")[:1]
    return frozenset(Check.objects.filter(shot__version=newest).values_list("project", flat=True))


def may_in(user: Any, protocol: Protocol, action: Action) -> bool:
    allowed = actions_in(user, protocol)
    return allowed is not None and action in allowed


def protocol_for(user: Any, slug: str, action: Action) -> Protocol:
    """The protocol ``slug`` if ``user`` may do ``action`` there; an archived one too, of which only what is new is refused
    (:mod:`labeling.inspections.archiving`).

    Raises :class:`~django.http.Http404` for strangers, so that nobody learns which protocols exist, and
    :class:`~django.core.exceptions.PermissionDenied` for members whose roles are not enough.
    """
    protocol = Protocol.objects.filter(slug=slug).first()
    allowed = actions_in(user, protocol) if protocol is not None else None
    if protocol is None or allowed is None:
        raise Http404(_("There is no such protocol, or you are not a member of all projects that it asks."))
    if action not in allowed:
        raise PermissionDenied(
            _(
                "You may not do this here: you need to be at least %(role)s in each project that the protocol asks. "
                "Ask their admins."
            )
            % {"role": least_role(action)}
        )
    return protocol


def inspection_for(user: Any, inspection_id: int, action: Action) -> Inspection:
    """The inspection, if ``user`` may do ``action`` in its protocol; raises as :func:`protocol_for`."""
    inspection = (
        Inspection.objects.select_related("protocol", "version", "asset", "verdict")
        .filter(pk=min(inspection_id, 2**63 - 1))
        .first()
    )
    if inspection is None or actions_in(user, inspection.protocol) is None:
        raise Http404(_("There is no such inspection, or you are not a member of all projects that it asks."))
    protocol_for(user, inspection.protocol.slug, action)
    return inspection


def protocols_of(user: Any, action: Action = Action.FIGURES, *, archived_too: bool = False) -> list[Protocol]:
    """Those in which the user may do this, by name."""
    protocols: QuerySet[Protocol] = Protocol.objects.order_by("name", "pk")
    if not archived_too:
        protocols = protocols.filter(archived_at__isnull=True)
    if user.is_superuser:
        return list(protocols)
    roles = dict(Membership.objects.filter(user=user).values_list("project", "role"))
    # Each of them asks a project of theirs, or is their own.
    mine = Check.objects.filter(project__in=roles).values("shot__version__protocol")
    found = list(protocols.filter(pk__in=mine) | protocols.filter(created_by=user))
    asked: dict[int, set[int]] = {each.pk: set() for each in found}
    newest = (
        ProtocolVersion.objects.filter(protocol__in=found)
        .order_by("protocol_id", "-number")
        .distinct("protocol_id")
        .values("pk")
    )
    for protocol, project in Check.objects.filter(shot__version__in=newest).values_list(
        "shot__version__protocol", "project"
    ):
        asked[protocol].add(project)
    return [
        each
        for each in found
        if action in (allowed_by(roles, asked[each.pk]) or ())
        or (not asked[each.pk] and each.created_by_id == user.pk)
    ]


def of_admin(user: User) -> list[Project]:
    """Projects that the person may have ask, by name."""
    mine = Project.objects.for_member(user)
    if not user.is_superuser:
        mine = mine.filter(memberships__user=user, memberships__role=Role.ADMIN)
    return list(mine.distinct().order_by("name", "pk"))
