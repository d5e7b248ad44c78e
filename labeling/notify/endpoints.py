"""Endpoints are made, changed and removed; their secrets are renewed; deliveries are sent again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.services import log_activity
from labeling.notify.kinds import CHOICES
from labeling.notify.kinds.testing import TEST
from labeling.notify.listening import wake
from labeling.notify.models import Delivery, DeliveryState, Endpoint, Event
from labeling.notify.secrets import encrypted, new_secret, renew
from labeling.people.models import User
from labeling.refusals import Refused

#: The most of one project, and of the whole site.
MOST = 20


@transaction.atomic
def make_endpoint(
    *, project: Project | None, by: User, name: str, url: str, events: Sequence[str]
) -> tuple[Endpoint, str]:
    """An endpoint, and its secret, which nobody can read again. Without a project it hears all of them.

    Raises :class:`Refused` ``invalid`` (422) for an address or kinds of event that cannot be, ``too_many`` (409).
    """
    _check(url=url, events=events)
    if Endpoint.objects.filter(project=project).count() >= MOST:
        raise Refused("too_many", _("There are %(n)d webhooks already. Remove one first.") % {"n": MOST})
    secret = new_secret()
    made = Endpoint.objects.create(
        project=project,
        created_by=by,
        name=name.strip() or urlsplit(url).hostname or "",
        url=url,
        events=sorted(set(events)),
        secret=encrypted(secret),
    )
    _tell(made, "made", by)
    return made, secret


@transaction.atomic
def change_endpoint(
    *,
    endpoint: Endpoint,
    by: User,
    name: str | None = None,
    url: str | None = None,
    events: Sequence[str] | None = None,
) -> None:
    """What is not named stays. What waits goes to the new address. Raises as :func:`make_endpoint` does."""
    changed: dict[str, Any] = {
        "name": endpoint.name if name is None else name.strip() or endpoint.name,
        "url": endpoint.url if url is None else url,
        "events": endpoint.events if events is None else sorted(set(events)),
    }
    _check(url=changed["url"], events=changed["events"])
    if all(getattr(endpoint, field) == value for field, value in changed.items()):
        return
    for field, value in changed.items():
        setattr(endpoint, field, value)
    endpoint.save(update_fields=list(changed))
    _tell(endpoint, "changed", by)


@transaction.atomic
def remove_endpoint(*, endpoint: Endpoint, by: User) -> None:
    """With what waits for it, and its log."""
    Endpoint.objects.select_for_update().filter(
        pk=endpoint.pk
    ).first()  # before its deliveries, as who writes them down
    _tell(endpoint, "removed", by)
    endpoint.delete()


@transaction.atomic
def renew_secret(*, endpoint: Endpoint, by: User) -> str:
    """Another secret, which nobody can read again; for a day both sign."""
    secret = renew(Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk))
    _tell(endpoint, "secret", by)
    return secret


@transaction.atomic
def send_test(*, endpoint: Endpoint) -> Delivery:
    """An event of its own, for this endpoint alone. It waits where that is off."""
    event = Event.objects.create(
        kind=TEST,
        project=endpoint.project,
        subject=f"test/{uuid4()}",  # of its own: one that is not taken holds up no other
        source="notify_endpoint",
        row=str(endpoint.pk),
    )
    made = Delivery.objects.create(endpoint=endpoint, event=event, subject=event.subject)
    wake()
    return made


@transaction.atomic
def replay(*, delivery: Delivery) -> None:
    """Send it again, or at once where it waits; by its id the receiver knows it again."""
    Delivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.WAITING, attempts=0, next_at=Now(), delivered_at=None
    )
    wake()


def _check(*, url: str, events: Sequence[str]) -> None:
    wrong: dict[str, Any] = {}
    parts = urlsplit(url) if _may_be_split(url) else None
    if parts is None or parts.scheme not in {"https", "http"} or not parts.hostname:
        wrong["url"] = _("Give a whole address, as https://example.com/hooks.")
    elif parts.username is not None:
        wrong["url"] = _("Give an address without a name and a password.")
    unknown = sorted(set(events) - set(CHOICES))
    if unknown:
        wrong["events"] = _("There is no such kind of event: %(names)s.") % {"names": ", ".join(unknown[:5])}
    elif not events:
        wrong["events"] = _("Choose at least one kind of event.")
    if wrong:
        raise Refused.invalid_fields(wrong)


def _may_be_split(url: str) -> bool:
    try:
        return urlsplit(url).port is not None or True
    except ValueError:  # a port or a bracket that is none
        return False


def _tell(endpoint: Endpoint, what: str, by: User) -> None:
    if endpoint.project:
        log_activity(project=endpoint.project, kind=f"endpoint_{what}", actor=by, name=endpoint.name)
