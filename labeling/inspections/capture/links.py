"""Links by which somebody without an account photographs one asset: made, shown, prolonged, revoked, opened.

An address holds the link's id under a signature, and nothing else: whoever has it may send photos for that one inspection
until it ends, and reaches nothing else (docs/decisions/0051-a-link-and-a-phone.md).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.catalog.services import log_activity
from labeling.http.signed_addresses import SignedIds
from labeling.inspections.archiving import refuse_archived
from labeling.inspections.models import CaptureLink, Origin, Protocol
from labeling.inspections.permissions import actions_in, projects_asked, protocol_for
from labeling.inspections.said import Said
from labeling.people.models import User
from labeling.refusals import Refused

LONGEST = timedelta(days=30)
_ADDRESSES = SignedIds("labeling.inspections.capture")


def token_of(link: CaptureLink) -> str:
    """What stands in the link's address; the same each time."""
    return _ADDRESSES.token(link.pk)


def id_of(token: str) -> UUID | None:
    """The id that this address holds; ``None`` where it is none of ours. Asks no database."""
    return _ADDRESSES.read(token)


def open_link(token: str) -> CaptureLink:
    """The link of this address, with its protocol, asset and inspection.

    Raises :class:`Refused` ``no_link`` (404), ``link_revoked`` or ``link_expired`` (410). What each says is always the same.
    """
    pk = id_of(token)
    related = ("protocol", "asset", "inspection__version")
    link = CaptureLink.objects.select_related(*related).filter(pk=pk).first() if pk else None
    if link is None:
        raise Refused(
            "no_link",
            _("This link is not valid. Ask whoever sent it to you for a new one, and open it whole."),
            status=404,
        )
    if link.revoked_at is not None:
        raise Refused(
            "link_revoked",
            _("This link was revoked. Ask whoever sent it to you for a new one."),
            status=410,
        )
    if link.protocol.archived_at is not None:  # which may be brought back, as a link is prolonged
        raise Refused(
            "link_expired",
            _("No photos are taken by this link now. Ask whoever sent it to you."),
            status=410,
        )
    if link.expires_at <= timezone.now():
        raise Refused(
            "link_expired",
            _("This link has expired. Ask whoever sent it to you to prolong it."),
            status=410,
        )
    return link


def link_for(user: Any, pk: UUID, action: Action) -> CaptureLink:
    """The link, if ``user`` may do ``action`` in its protocol; raises as :func:`protocol_for`."""
    link = CaptureLink.objects.select_related("protocol").filter(pk=pk).first()
    if link is None or actions_in(user, link.protocol) is None:
        raise Http404(_("There is no such link."))
    protocol_for(user, link.protocol.slug, action)
    return link


@transaction.atomic
def make_link(
    *,
    protocol: Protocol,
    by: User,
    identifier: str,
    event: str,
    expires_at: datetime,
    type: str = "",
    site: str = "",
    photographer: str = "",
) -> CaptureLink:
    """A link for one inspection of the asset ``identifier``, which is made if it is new.

    Raises :class:`Refused` ``invalid`` (422), ``archived`` (409).
    """
    refuse_archived(protocol)
    _judge_end(expires_at)
    # Judged as the inspection will be that comes by it.
    said = Said(
        protocol,
        asset={"identifier": identifier, "type": type},
        event=event,
        happened_at=None,
        more=None,
        external_id="link",
        site=site,
        photographer=photographer,
        origin=Origin.CAPTURE,
        created_by=by,
    )
    return CaptureLink.objects.create(
        protocol=protocol,
        asset=said.known_asset(),
        event=said.inspection.event,
        site=said.inspection.site,
        photographer=said.inspection.photographer,
        created_by=by,
        expires_at=expires_at,
    )


@transaction.atomic
def prolong_link(*, link: CaptureLink, by: User, expires_at: datetime) -> CaptureLink:
    """Let a link go on until then, also one that has expired: what waits on a phone for it is sent by itself.

    Raises :class:`Refused` ``invalid`` (422), ``link_revoked`` (409).
    """
    _judge_end(expires_at)
    link = CaptureLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
    if link.revoked_at is not None:
        raise Refused("link_revoked", _("This link was revoked, which is final. Make a new one."))
    link.expires_at = expires_at
    link.save(update_fields=["expires_at"])
    _log(link, by, "capture_link_prolonged")
    return link


@transaction.atomic
def revoke_link(*, link: CaptureLink, by: User) -> None:
    """End it at once and for good. What was sent stays; revoking again changes nothing."""
    if CaptureLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        _log(link, by, "capture_link_revoked")


def _log(link: CaptureLink, by: User, kind: str) -> None:
    """In the diaries of the projects that the protocol asks. Who made it stands beside the link."""
    for project in Project.objects.filter(pk__in=projects_asked(link.protocol)):
        log_activity(project=project, kind=kind, actor=by, protocol=link.protocol.slug, link=str(link.pk))


def links_of(protocol: Protocol) -> QuerySet[CaptureLink]:
    """Newest first."""
    return CaptureLink.objects.filter(protocol=protocol).select_related(
        "asset", "inspection", "created_by", "protocol"
    )


def _judge_end(expires_at: datetime) -> None:
    now = timezone.now()
    if not now < expires_at <= now + LONGEST:
        raise Refused.invalid(
            "expires_at",
            _("Choose an end within the next %(days)d days.") % {"days": LONGEST.days},
        )
