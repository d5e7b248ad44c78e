"""What follows in the projects from what happens to people."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from labeling.catalog.signing_on import follow_groups
from labeling.people.events import signed_on
from labeling.people.models import User


@receiver(signed_on)
def roles_follow_groups(person: User, groups: frozenset[str], **_named: Any) -> None:
    follow_groups(person, groups)
