"""A person's identity is put aside, and then erased: what they did stays, as nobody's whose name is known."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext as _

from labeling.database.append_only import erasing
from labeling.people.access import switch_off
from labeling.people.accounts import is_taken
from labeling.people.history import remember
from labeling.people.models import AccountEvent, SlackAccount, Token, User
from labeling.refusals import Refused

#: What says who somebody is.
IDENTITY = ("username", "first_name", "last_name", "email")


@transaction.atomic
def hide(*, person: User, by: User) -> dict[str, Any]:
    """Switch the account off, and call it by a number; returns what it was called, as :func:`show` takes it.

    Raises :class:`Refused` as :func:`~labeling.people.access.switch_off` does: nobody erases themselves.
    """
    kept: dict[str, Any] = {name: getattr(person, name) for name in (*IDENTITY, "is_active", "is_superuser")}
    switch_off(person=person, by=by)
    person.refresh_from_db()
    person.username, person.first_name, person.last_name, person.email = f"erased-{person.pk}", "", "", ""
    person.is_superuser = False
    person.save(update_fields=[*IDENTITY, "is_superuser"])
    remember(person, AccountEvent.Kind.ERASURE_ASKED, by=by)
    return kept


@transaction.atomic
def show(*, person: User, kept: dict[str, Any], by: User) -> None:
    """As it was, but for tokens and sessions, which ended. Raises :class:`Refused` where somebody else has the name now."""
    if is_taken(kept["username"]):
        raise Refused("taken", _("Somebody else has taken this name meanwhile. Rename that account first."))
    for name, value in kept.items():
        setattr(person, name, value)
    person.save(update_fields=list(kept))
    remember(person, AccountEvent.Kind.ERASURE_UNDONE, by=by)


@transaction.atomic
def forget(person: User) -> None:
    """For good. Their account stays as a number that their answers refer to. Doing it twice changes nothing."""
    person.set_unusable_password()
    person.own_keys, person.last_login, person.toured_at = {}, None, None
    person.save(update_fields=["password", "own_keys", "last_login", "toured_at"])
    for rows in (EmailAddress, SocialAccount, Authenticator, Token):
        rows.objects.filter(user=person).delete()
    SlackAccount.objects.filter(person=person).delete()
    _end_all_sessions(person)
    with erasing():
        AccountEvent.objects.filter(person=person).exclude(what="").update(what="")
    if not AccountEvent.objects.filter(person=person, kind=AccountEvent.Kind.ERASED).exists():
        remember(person, AccountEvent.Kind.ERASED, by=None)


def _end_all_sessions(person: User) -> None:
    """They are of no use since the account was switched off; what they hold goes too."""
    mine = [
        session.pk
        for session in Session.objects.iterator(1000)
        if session.get_decoded().get("_auth_user_id") == str(person.pk)
    ]
    Session.objects.filter(pk__in=mine).delete()
