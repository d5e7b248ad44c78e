"""A protocol is put away: it takes nothing new, its links stop, and what it holds is asked of nobody first any more. Nothing
of it is lost: answers are still judged."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.services import log_activity
from labeling.inspections.models import Protocol
from labeling.inspections.permissions import projects_asked
from labeling.inspections.wanting import want_look_at_held
from labeling.people.models import User
from labeling.refusals import Refused


def refuse_archived(protocol: Protocol) -> None:
    """Raises :class:`Refused` ``archived`` (409)."""
    if protocol.archived_at is not None:
        raise Refused(
            "archived",
            _(
                "The protocol “%(name)s” is archived and takes nothing new. An admin of all projects that it asks can bring "
                "it back on its page."
            )
            % {"name": protocol.name},
        )


@transaction.atomic
def archive_protocol(*, protocol: Protocol, by: User) -> Protocol:
    """Doing it again changes nothing."""
    return _put(protocol, by, away=True)


@transaction.atomic
def restore_protocol(*, protocol: Protocol, by: User) -> Protocol:
    """It takes inspections again, its links go on, and what it holds is asked first. Doing it again changes nothing."""
    return _put(protocol, by, away=False)


def _put(protocol: Protocol, by: User, *, away: bool) -> Protocol:
    other = Protocol.objects.filter(pk=protocol.pk, archived_at__isnull=away)
    if other.update(archived_at=timezone.now() if away else None):
        want_look_at_held(protocol.pk)  # which says what people are asked first
        kind = "protocol_archived" if away else "protocol_restored"
        for project in Project.objects.filter(pk__in=projects_asked(protocol)):
            log_activity(project=project, kind=kind, actor=by, protocol=protocol.slug)
    protocol.refresh_from_db()
    return protocol
