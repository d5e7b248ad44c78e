"""Who belongs to a project, in which role."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.activity import log_activity
from labeling.catalog.models import Membership, Project, Role
from labeling.people.models import User
from labeling.people.services import create_account
from labeling.refusals import Refused


@transaction.atomic
def set_role(*, project: Project, user: User, role: str, by: User) -> Membership:
    """Make ``user`` a member with ``role``, or change their role. Refuses to leave a project without an admin."""
    if role not in Role.values:
        message = _("There is no role “%(role)s”. Choose one of: %(roles)s.") % {
            "role": role,
            "roles": ", ".join(Role.values),
        }
        raise Refused.invalid("role", message)
    if not user.is_active:
        raise Refused.invalid(None, _("This account is switched off. Switch it on first."), code="inactive")
    _lock(project)
    if role != Role.ADMIN:
        _keep_an_admin(project, user)
    membership, created = Membership.objects.get_or_create(
        project=project, user=user, defaults={"role": role}
    )
    previous = None if created else membership.role
    if previous != role:
        membership.role = role
        membership.save(update_fields=["role"])
        log_activity(
            project=project, kind="role_set", actor=by, username=user.username, role=role, previous=previous
        )
    return membership


@transaction.atomic
def remove_member(*, project: Project, user: User, by: User) -> None:
    """Take ``user`` out of the project. Their answers stay. Refuses to remove the last admin."""
    _lock(project)
    _keep_an_admin(project, user)
    removed, _rows = Membership.objects.filter(project=project, user=user).delete()
    if not removed:
        raise Refused("not_a_member", _("This person is not a member of the project."), status=404)
    log_activity(project=project, kind="member_removed", actor=by, username=user.username)


@transaction.atomic
def invite_member(*, project: Project, role: str, by: User, **account: str) -> User:
    """A new account without a password that is a member from the start; ``account`` is what :func:`create_account` takes.

    Refuses as that and :func:`set_role` do.
    """
    user = create_account(by=by, **account)
    set_role(project=project, user=user, role=role, by=by)
    return user


def _lock(project: Project) -> None:
    """Two admins who demote each other at the same moment wait for each other here."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def _keep_an_admin(project: Project, user: User) -> None:
    admins = Membership.objects.filter(project=project, role=Role.ADMIN)
    if admins.filter(user=user).exists() and not admins.exclude(user=user).exists():
        raise Refused(
            "last_admin",
            _("This is the project's last admin. Make somebody else an admin first."),
            status=409,
        )
