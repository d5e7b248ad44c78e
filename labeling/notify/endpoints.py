"""Endpoints are made, changed and removed; their secrets are renewed; deliveries are sent again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.notify.channels import mail, slack
from labeling.notify.channels.slack.sending import OPENED, RULED
from labeling.notify.kinds import CHOICES
from labeling.notify.kinds.testing import TEST
from labeling.notify.listening import wake
from labeling.notify.models import Channel, Delivery, DeliveryState, Endpoint, Event, OffReason
from labeling.notify.remembering import remember
from labeling.notify.secrets import encrypted, new_secret, renew
from labeling.people.models import User
from labeling.refusals import Refused

#: The most of one project, and of the whole site.
MOST = 20
#: Of Slack, by name or by id (https://docs.slack.dev/reference/methods/chat.postMessage).
_CHANNEL = re.compile(r"#[\w-]{1,80}|[CG][A-Z0-9]{8,30}")


@transaction.atomic
def make_endpoint(
    *, project: Project | None, by: User, name: str, url: str, events: Sequence[str], site: str = ""
) -> tuple[Endpoint, str]:
    """An endpoint, and its secret, which nobody can read again. Without a project it hears all of them.

    ``url``: of a program; or an address of mail, with ``mailto:`` or without; or a channel of Slack, as ``#name`` or by its
    id, with ``slack:`` or without. The last two have no secret (""). ``site``: the origin to which they lead.

    Raises :class:`Refused` ``invalid`` (422) for an address or kinds of event that cannot be, ``too_many`` (409).
    """
    url = _whole(url)
    _check(url=url, events=events)
    if Endpoint.objects.filter(project=project).exclude(kind=Channel.CALL_BACK).count() >= MOST:
        raise Refused("too_many", _("There are %(n)d webhooks already. Remove one first.") % {"n": MOST})
    kind = _kind_of(url)
    secret = new_secret() if kind == Channel.WEBHOOK else ""
    made = Endpoint.objects.create(
        project=project,
        created_by=by,
        kind=kind,
        name=name.strip() or _host_of(url),
        url=url,
        events=_heard(kind, events),
        secret=secret and encrypted(secret),
        site=site,
        language=get_language() or "",
    )
    remember(made, "made", by)
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
    if endpoint.kind == Channel.CALL_BACK and (url, events) != (None, None):
        raise Refused.invalid("url", _("Each call that is to be called back names its own address."))
    changed: dict[str, Any] = {
        "name": endpoint.name if name is None else name.strip() or endpoint.name,
        "url": endpoint.url if url is None else _whole(url),
        "events": endpoint.events if events is None else _heard(endpoint.kind, events),
    }
    if endpoint.kind != Channel.CALL_BACK:
        _check(url=changed["url"], events=changed["events"], stays=endpoint.kind)
    if all(getattr(endpoint, field) == value for field, value in changed.items()):
        return
    if endpoint.kind == Channel.SLACK and changed["url"] != endpoint.url:
        endpoint.slack_messages.all().delete()  # their threads, and their buttons, are another channel's
    for field, value in changed.items():
        setattr(endpoint, field, value)
    endpoint.save(update_fields=list(changed))
    remember(endpoint, "changed", by)


@transaction.atomic
def remove_endpoint(*, endpoint: Endpoint, by: User) -> None:
    """From here on it hears and sends nothing, and nobody sees it; a job deletes what waits for it, its log, and it.
    Twice is as once.

    It is not deleted here: that would wait for whoever writes events for it, an import of minutes, and have them wait.
    """
    off = {"events": [], "off_at": Now(), "off_reason": OffReason.ADMIN}
    if Endpoint.objects.filter(pk=endpoint.pk).update(removed_at=Now(), **off):
        remember(endpoint, "removed", by)


@transaction.atomic
def renew_secret(*, endpoint: Endpoint, by: User) -> str:
    """Another secret, which nobody can read again; for a day both sign.

    Raises :class:`Refused` ``no_secret`` (409) for mail and Slack.
    """
    if not endpoint.secret:
        raise Refused("no_secret", _("Only webhooks are signed: there is no secret to renew."))
    secret = renew(Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk))
    remember(endpoint, "secret", by)
    return secret


@transaction.atomic
def send_test(*, endpoint: Endpoint) -> Delivery:
    """An event of its own, for this endpoint alone. It waits where that is off.

    Raises :class:`Refused` ``no_address`` (409) for an account's calls back.
    """
    if endpoint.kind == Channel.CALL_BACK:
        raise Refused("no_address", _("Calls back have no address of their own to which a test could go."))
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


def _whole(url: str) -> str:
    """With its scheme, where it is an address of mail or a channel of Slack."""
    url = url.strip()
    if _CHANNEL.fullmatch(url):
        return f"{slack.SCHEME}{url}"
    return (
        f"{mail.SCHEME}{url}" if "@" in url and "/" not in url and _kind_of(url) == Channel.WEBHOOK else url
    )


def _kind_of(url: str) -> Channel:
    schemes = {mail.SCHEME: Channel.MAIL, slack.SCHEME: Channel.SLACK}
    return next((kind for scheme, kind in schemes.items() if url.startswith(scheme)), Channel.WEBHOOK)


def _host_of(url: str) -> str:
    """What it is called where nobody says a name: of mail too no person, as the diary keeps it."""
    match _kind_of(url):
        case Channel.MAIL:
            return url.rpartition("@")[2][:80]
        case Channel.SLACK:
            return url.removeprefix(slack.SCHEME)[:80]
    return (urlsplit(url).hostname or "")[:80]


def _heard(kind: str, events: Sequence[str]) -> list[str]:
    """In Slack a dispute's message has buttons, which go when it is ruled on."""
    more = {RULED} if kind == Channel.SLACK and OPENED in events else set()
    return sorted({*events, *more})


def _check(*, url: str, events: Sequence[str], stays: str = "") -> None:
    faults = {Channel.MAIL: _mail_fault, Channel.SLACK: _slack_fault, Channel.WEBHOOK: web_fault}
    wrong: dict[str, Any] = {}
    if stays and _kind_of(url) != stays:
        wrong["url"] = _("A webhook, a mailbox or a channel stays one. Make another one, and remove this.")
    elif fault := faults[_kind_of(url)](url):
        wrong["url"] = fault
    unknown = sorted(set(events) - set(CHOICES))
    if unknown:
        wrong["events"] = _("There is no such kind of event: %(names)s.") % {"names": ", ".join(unknown[:5])}
    elif not events:
        wrong["events"] = _("Choose at least one kind of event.")
    if wrong:
        raise Refused.invalid_fields(wrong)


def web_fault(url: str) -> str:
    parts = urlsplit(url) if _may_be_split(url) else None
    if parts is None or parts.scheme not in {"https", "http"} or not parts.hostname:
        return _("Give a whole address, as https://example.com/hooks, quality@example.com or #quality.")
    if parts.username is not None:
        return _("Give an address without a name and a password.")
    return ""


def _mail_fault(url: str) -> str:
    if not settings.MAIL_IS_SET_UP:
        return _("No mail is set up here: an administrator does that by HILLTOP_MAIL.")
    try:
        validate_email(url.removeprefix(mail.SCHEME))
    except ValidationError:
        return _("Give one address of mail, as quality@example.com.")
    return ""


def _slack_fault(url: str) -> str:
    if not (settings.SLACK_TOKEN and settings.SLACK_SIGNING_SECRET):
        return _("No Slack is set up here: an administrator does that by HILLTOP_SLACK_TOKEN.")
    if not _CHANNEL.fullmatch(url.removeprefix(slack.SCHEME)):
        return _("Give one channel of Slack, as #quality, or its id, as C0123ABCD.")
    return ""


def _may_be_split(url: str) -> bool:
    try:
        return urlsplit(url).port is not None or True
    except ValueError:  # a port or a bracket that is none
        return False
