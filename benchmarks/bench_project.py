"""A project for a benchmark on its own database: people with tokens, and photos as rows or for real."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from labeling.catalog.models import Project
    from labeling.people.models import User

CLASSES = [
    {"key": "functional", "name": "Functional", "criteria": "The whole cell glows."},
    {"key": "defective", "name": "Defective", "criteria": "Some of the cell gives no power."},
]
SLUG = "measured"


@dataclass(frozen=True, slots=True)
class Member:
    user: User
    token: str


def set_up_django(*, migrated: bool = False) -> None:
    """Load Django on the database that the environment names, and bring its tables up to date.

    ``migrated``: they are, so nobody looks: to see that nothing is to be done takes some seconds of each process.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    if migrated:
        return
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def make_project(*, labelers: int, **settings: object) -> tuple[Project, Member, list[Member]]:
    """A project, its admin, and so many labelers. ``settings`` as :func:`labeling.catalog.services.create_project`."""
    from labeling.catalog.services import create_project, set_role
    from labeling.people.models import User
    from labeling.people.services import make_token

    def member(user: User) -> Member:
        _row, token = make_token(user=user, name="benchmark")
        return Member(user, token)

    admin = User.objects.create_superuser("admin", password=None)
    project = create_project(
        slug=SLUG, name="Measured", question="Is this cell defective?", classes=CLASSES, by=admin, **settings
    )
    people = []
    for number in range(labelers):
        user = User.objects.create_user(f"labeler{number}", password=None)
        set_role(project=project, user=user, role="labeler", by=admin)
        people.append(member(user))
    return project, member(admin), people


def close_connections() -> None:
    from django.db import connections

    for connection in connections.all():
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
