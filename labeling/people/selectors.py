"""Reads about people: their tokens, what happened to their accounts, and all of them for administrators."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone

from labeling.people import imported
from labeling.people.models import AccountEvent, Token, User

#: Of what happened to an account, on its page.
EVENTS_SHOWN = 20


def live_tokens(person: User) -> QuerySet[Token]:
    """Those that still open something, the newest first."""
    tokens: QuerySet[Token] = Token.objects.filter(user=person, expiry__gt=timezone.now())
    return tokens.order_by("-created")


def account_events(person: User) -> QuerySet[AccountEvent]:
    """What was done to the account; its sign-ins are in the audit trail."""
    events = AccountEvent.objects.filter(person=person).exclude(kind__in=AccountEvent.SIGN_INS)
    return events.select_related("by")[:EVENTS_SHOWN]


def everybody(search: str = "") -> QuerySet[User]:
    """All accounts of people, those that are on first, or those whose name or address holds ``search``."""
    words = ~Q(username__startswith=imported.PREFIX)
    for word in search.split():
        words &= (
            Q(username__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__icontains=word)
        )
    return User.objects.filter(words).order_by("-is_active", "username")
