"""Tokens for programs: made, shown once, used, revoked. They die with the password and with the account (``User.save``)."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.people.history import remember
from labeling.people.models import WITHOUT_A_NAME, AccountEvent, Token, User
from labeling.refusals import Refused

#: A person's tokens at most; the least recently made makes room, so that a program that signs in at each start cannot
#: lock itself out.
MOST = 20
DAYS = 90
MOST_DAYS = 366
#: When a token was used is kept to the minute: a write at each request would cost the labeling loop more than it tells.
TO_THE_MINUTE = timedelta(minutes=1)


@transaction.atomic
def make_token(*, user: User, name: str = "", days: int = DAYS) -> tuple[Token, str]:
    """A new token, as its row and its text, which is told this once and cannot be read again.

    Raises :class:`Refused` for a number of ``days`` that is not from 1 to :data:`MOST_DAYS`.
    """
    if not 1 <= days <= MOST_DAYS:
        raise Refused.invalid("days", _("From 1 to %(most)d days.") % {"most": MOST_DAYS})
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    mine = Token.objects.filter(user=user)
    surplus = mine.order_by("-created").values_list("pk", flat=True)[MOST - 1 :]
    mine.filter(pk__in=list(surplus)).delete()
    token, text = Token.objects.create(user, expiry=timedelta(days=days), name=name.strip() or WITHOUT_A_NAME)
    remember(user, AccountEvent.Kind.TOKEN_MADE, by=user, what=token.name)
    return token, text


@transaction.atomic
def revoke_token(*, user: User, key: str, by: User) -> None:
    """End the token that begins with ``key``. Raises :class:`Refused` (404) where ``user`` has none such."""
    token = Token.objects.filter(user=user, token_key=key).first()
    if token is None:
        raise Refused("not_found", _("There is no such token. It may have been revoked already."), status=404)
    token.delete()
    remember(user, AccountEvent.Kind.TOKEN_REVOKED, by=by, what=token.name)


def note_use(token: Token) -> None:
    now = timezone.now()
    if token.used_at is None or token.used_at < now - TO_THE_MINUTE:
        Token.objects.filter(pk=token.pk).update(used_at=now)
