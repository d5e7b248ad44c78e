"""An address, told to one member of Slack alone, at which they confirm while signed in who they are here.

It ends after ten minutes, and when it was used. It holds what Slack signed of them, under a signature of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.notify.models import Endpoint
from labeling.notify.slack.pressed import Pressed
from labeling.people import rate_limits
from labeling.people.models import User
from labeling.people.slack import link
from labeling.refusals import Refused

LASTS_S = 600
_SALT = "labeling.notify.slack.linking"


@dataclass(frozen=True, slots=True)
class Member:
    """Of Slack: ids of the workspace and of the member, and how they are called there."""

    team: str
    member: str
    name: str


def address_of(pressed: Pressed, endpoint: Endpoint) -> str:
    token = signing.dumps([pressed.team, pressed.member, pressed.name], salt=_SALT)
    return endpoint.site + reverse("slack-link", args=[token])


def member_of(token: str) -> Member:
    """Raises :class:`Refused` ``no_link`` (404) for what is none of ours, or too old, or was used."""
    try:
        member = Member(*signing.loads(token, salt=_SALT, max_age=LASTS_S))
    except signing.BadSignature:
        raise _over() from None
    if rate_limits.counted(_used(token)):
        raise _over()
    return member


def confirm(*, token: str, person: User) -> Member:
    """From here on this member acts as ``person``. Raises :class:`Refused` as :func:`member_of` and ``link`` do."""
    member = member_of(token)
    link(person=person, team=member.team, member=member.member, name=member.name)
    rate_limits.count(_used(token), seconds=2 * LASTS_S)
    return member


def _used(token: str) -> str:
    return rate_limits.key_of("slack-link", token)


def _over() -> Refused:
    return Refused(
        "no_link",
        _(
            "This link has ended: it works once, for 10\u00a0minutes. Press the button in Slack again for another one."
        ),
        status=404,
    )
