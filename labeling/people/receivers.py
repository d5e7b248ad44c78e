"""What an account's history keeps of sign-ins, and of its second step."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from labeling.people.history import remember
from labeling.people.models import AccountEvent, User


@receiver(signals.authenticator_added)
def second_step_added(user: User, authenticator: Authenticator, **_named: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        remember(user, AccountEvent.Kind.TWO_STEP_ON, by=user)


@receiver(signals.authenticator_removed)
def second_step_removed(user: User, authenticator: Authenticator, **_named: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        remember(user, AccountEvent.Kind.TWO_STEP_OFF, by=user)


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **_named: Any) -> None:
    remember(user, AccountEvent.Kind.SIGNED_IN, by=user, what=_address(request))


@receiver(user_login_failed)
def sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_named: Any) -> None:
    """A wrong password. What the throttle stops is not looked at, so it is not kept either: nobody fills the disk so."""
    # PostgreSQL keeps no NUL in texts, so no name has one.
    name = str(credentials.get("username", "")).replace("\0", "")
    person = User.objects.filter(username=name).first()
    remember(person, AccountEvent.Kind.SIGN_IN_FAILED, by=None, what=_address(request))


def _address(request: HttpRequest | None) -> str:
    """As :mod:`labeling.people.proxies` found it."""
    return str(request.META.get("REMOTE_ADDR", "")) if request else ""
