"""What follows for an account from what happens to its second step."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.dispatch import receiver

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
