"""Who can get in: passwords, one-time links, signing out everywhere, accounts switched off and on."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from labeling.people.accounts import must_manage
from labeling.people.history import remember
from labeling.people.links import link_for, mail_link
from labeling.people.models import AccountEvent, User
from labeling.refusals import Refused

Kind = AccountEvent.Kind


def make_link(*, person: User, by: User, request: HttpRequest, mail: bool = False) -> tuple[str, bool]:
    """A one-time link for ``person``, and whether it was also mailed. ``by`` must be a superuser."""
    must_manage(by)
    if not person.is_active:
        raise Refused.invalid(None, _("This account is switched off. Switch it on first."), code="inactive")
    link = link_for(person, request)
    remember(person, Kind.LINK_MADE, by=by)
    return link, bool(mail and person.email) and mail_link(person, link)


@transaction.atomic
def sign_out_everywhere(*, person: User, by: User) -> None:
    """End all sessions and one-time links of ``person``. Tokens stay: they are revoked one by one."""
    if by != person:
        must_manage(by)
    _end_sessions(person)
    remember(person, Kind.SIGNED_OUT, by=by)


@transaction.atomic
def switch_off(*, person: User, by: User) -> None:
    """Nobody gets in as ``person`` from now on: sessions, links and tokens end for good. What they did stays."""
    must_manage(by)
    if by == person:
        raise Refused(
            "own_account", _("You cannot switch your own account off. Ask another administrator."), status=409
        )
    person = _locked(person)
    if person.is_active:
        person.is_active = False
        person.save(update_fields=["is_active"])
        _end_sessions(person)
        remember(person, Kind.SWITCHED_OFF, by=by)


@transaction.atomic
def switch_on(*, person: User, by: User) -> None:
    """The person may sign in again, with the password that they had."""
    must_manage(by)
    person = _locked(person)
    if not person.is_active:
        person.is_active = True
        person.save(update_fields=["is_active"])
        remember(person, Kind.SWITCHED_ON, by=by)


@transaction.atomic
def drop_second_step(*, person: User, by: User) -> None:
    """The password alone is enough again, until the person sets another second step up."""
    must_manage(by)
    removed, _rows = Authenticator.objects.filter(user=person).delete()
    if removed:
        remember(person, Kind.TWO_STEP_OFF, by=by)


def stay_as_they_are(person: User) -> bool:
    """Whether nobody set the password, ended the sessions or switched the account off since ``person`` was read.

    It stays so until the transaction ends. To be asked before a password is set: looking at a form takes a while.
    """
    now = _locked(person)
    return (now.password, now.sign_outs, now.is_active) == (
        person.password,
        person.sign_outs,
        person.is_active,
    )


def _locked(person: User) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=person.pk)


def _end_sessions(person: User) -> None:
    person = _locked(person)
    person.sign_outs += 1
    person.save(update_fields=["sign_outs"])
    end_streams(person)


def end_streams(person: User) -> None:
    """Live events are one long answer each, which looked at the session only when it began."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('hilltop_events', %s)", [f"ended {person.pk}"])
