"""What follows in the projects from what happens to people, and what ends with a request."""

from __future__ import annotations

from typing import Any

from django.core.signals import request_started
from django.dispatch import receiver

from inference.photo import DEFAULT_LEVELS
from labeling.catalog import shown
from labeling.catalog.signing_on import follow_groups
from labeling.people.events import signed_on
from labeling.people.models import User


@receiver(signed_on)
def roles_follow_groups(person: User, groups: frozenset[str], **_named: Any) -> None:
    follow_groups(person, groups)


@receiver(request_started)
def photos_are_shown_as_by_default(**_: Any) -> None:
    # A server's thread goes on to the next request with what the last one said.
    shown.as_in(DEFAULT_LEVELS)
