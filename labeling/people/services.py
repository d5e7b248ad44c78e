"""What changes about a person."""

from __future__ import annotations

from django.utils import timezone

from labeling.people.access import drop_second_step, make_link, sign_out_everywhere, switch_off, switch_on
from labeling.people.accounts import create_account
from labeling.people.models import User
from labeling.people.tokens import make_token, revoke_token

__all__ = [
    "create_account",
    "drop_second_step",
    "make_link",
    "make_token",
    "remember_tour",
    "revoke_token",
    "sign_out_everywhere",
    "switch_off",
    "switch_on",
]


def start_photos_plain(*, user: User, plain: bool) -> None:
    """Whether each new photo is shown in its own brightness, or in that which the one before was given."""
    User.objects.filter(pk=user.pk).update(brightness_reset=plain)


def remember_tour(*, user: User) -> None:
    """The labeling tour was seen or dismissed; it is not shown again. Safe to repeat: the first time counts."""
    User.objects.filter(pk=user.pk, toured_at__isnull=True).update(toured_at=timezone.now())
