"""A protocol of two shots that two projects ask, and photos that serve or do not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import labeling.frontier.tasks
import labeling.inspections.tasks  # noqa: F401  (registers the handlers)
from labeling.catalog.models import Project
from labeling.inspections.models import Protocol
from labeling.inspections.services import create_protocol
from labeling.people.models import User
from tests.catalog.conftest import own_folders  # noqa: F401 - each test has its own store
from tests.factories import join, make_project, make_user, photo_bytes
from tests.inspections.made import Washes, make_washes

SHOTS = [
    {
        "key": "front",
        "name": "Front",
        "min_side": 64,
        "max_tilt": 10,
        "advice": "Both lamps inside the line.",
    },
    {"key": "rear", "name": "Rear", "required": False},
]


@dataclass(frozen=True)
class Yard:
    """``wash`` is asked of both shots, ``dent`` of the front only; ``clerk`` is a reviewer of both."""

    protocol: Protocol
    wash: Project
    dent: Project
    root: User
    clerk: User


@pytest.fixture
def yard(db: None) -> Yard:
    root, clerk = make_user(is_superuser=True), make_user()
    wash, dent = make_project(slug="wash", classes=("foam", "plain")), make_project(slug="dent")
    for project in (wash, dent):
        join(project, clerk, role="reviewer")
    protocol = create_protocol(
        by=root,
        slug="walk-round",
        name="Walk round",
        shots=[SHOTS[0] | {"checks": ["wash", "dent"]}, SHOTS[1] | {"checks": ["wash"]}],
        rules=[
            {"outcome": "passed", "when": [{"project": "wash", "shots": [], "of": "any", "is": ["foam"]}]}
        ],
    )
    return Yard(protocol, wash, dent, root, clerk)


def picture(seed: int) -> bytes:
    return photo_bytes(seed, format="JPEG")


@pytest.fixture
def washes(db: None) -> Washes:
    """Inspections whose photos are rows only, and a champion whose word counts."""
    return make_washes()
