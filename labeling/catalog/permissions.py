"""Who may do what: the one place where it is decided, for pages, API and photos alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog import shown
from labeling.catalog.models import Membership, Project, Role
from labeling.database.read_once import read_once


class Action(StrEnum):
    VIEW = "view"
    FIGURES = "figures"
    """See how far the project is and how well people and machine do: figures and plots that show nobody's answer."""
    LABEL = "label"
    REVIEW = "review"
    OVERRULE = "overrule"
    """See what the machine decides and on what proof, and take a decision back."""
    PREDICT = "predict"
    """Ask the model what it says of photos. Whoever knows that is blind no more, so nobody who is asked for answers may."""
    DECIDE = "decide"
    """Say what must be proven, and let the machine decide."""
    ADMIN = "admin"


ALLOWED: dict[str, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.VIEW, Action.FIGURES, Action.PREDICT}),
    Role.LABELER: frozenset({Action.VIEW, Action.LABEL}),
    Role.REVIEWER: frozenset({Action.VIEW, Action.FIGURES, Action.LABEL, Action.REVIEW, Action.OVERRULE}),
    Role.ADMIN: frozenset(Action),
}


@read_once
def role_in(user: Any, project: Project) -> str | None:
    """The user's role in the project; a superuser is an admin everywhere; ``None`` for strangers."""
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    if getattr(project, "asked_by", None) == user.pk:  # who was let in by this role a moment ago
        return getattr(project, "role_asked")  # type: ignore[no-any-return]  # noqa: B009 - annotated
    return Membership.objects.filter(project=project, user=user).values_list("role", flat=True).first()


def may(user: Any, project: Project, action: Action) -> bool:
    role = role_in(user, project)
    return role is not None and action in ALLOWED[role]


def actions_in_each(user: Any, projects: Collection[int]) -> frozenset[Action] | None:
    """What the user may do in each of these projects (ids); ``None`` for strangers to one of them, or without any."""
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return frozenset(Action)
    roles = Membership.objects.filter(user=user, project__in=projects).values_list("project", "role")
    return allowed_by(dict(roles), projects)


def allowed_by(roles: Mapping[int, str], projects: Collection[int]) -> frozenset[Action] | None:
    """What ``roles`` (by project) allow in each of these projects; ``None`` where one has none, or without any project."""
    if not projects or not roles.keys() >= set(projects):
        return None
    return frozenset(Action).intersection(*(ALLOWED[roles[each]] for each in projects))


def least_role(action: Action) -> str:
    """The first role that may do this, in words."""
    return str(Role(next(role for role, actions in ALLOWED.items() if action in actions)).label)


# The role comes with the project, in one look-up: the labeling loop asks at every step. As text, because composing it
# from querysets takes three times as long as the database needs for it.
_WITH_ROLE = """
SELECT p.*, %s::bigint AS asked_by,
       (SELECT m.role FROM catalog_membership m WHERE m.project_id = p.id AND m.user_id = %s) AS role_asked
FROM catalog_project p WHERE p.slug = %s
"""


def project_for(user: Any, slug: str, action: Action, *, archived_too: bool = False) -> Project:
    """The project ``slug`` if ``user`` may do ``action`` there.

    Raises :class:`~django.http.Http404` for strangers, so that nobody learns which projects exist, and
    :class:`~django.core.exceptions.PermissionDenied` for members whose role is not enough.
    """
    if user.is_authenticated and not user.is_superuser:
        project = next(iter(Project.objects.raw(_WITH_ROLE, [user.pk, user.pk, slug])), None)
        role = getattr(project, "role_asked", None) if user.is_active else None
    else:
        project = Project.objects.filter(slug=slug).first()
        role = role_in(user, project) if project else None
    if project is not None and project.archived_at is not None and not archived_too:
        project = None
    if project is None or role is None:
        raise Http404(_("There is no such project, or you are not a member of it."))
    must_be_allowed(user, project, action)
    shown.as_in(project.decoded_with)
    return project


def must_be_allowed(user: Any, project: Project, action: Action) -> None:
    """Raises :class:`~django.core.exceptions.PermissionDenied` for a member whose role is not enough."""
    role = role_in(user, project)
    assert role is not None  # a member
    if action not in ALLOWED[role]:
        raise PermissionDenied(
            _("Your role in this project (%(role)s) does not allow this. Ask one of its admins.")
            % {"role": Role(role).label}
        )


def may_create_projects(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_active and user.is_superuser)
