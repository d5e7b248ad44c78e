"""Small real objects for tests: people, a project with two classes, photos as rows with or without bytes."""

from __future__ import annotations

import hashlib
import io
import itertools
import random
from datetime import timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils import timezone
from PIL import Image as PillowImage

from labeling.catalog.models import (
    ClassDefinition,
    Guideline,
    Image,
    Item,
    LabelClass,
    Membership,
    Project,
    Role,
)
from labeling.learning.models import Score
from labeling.people.models import User
from labeling.queue import placing, steps
from labeling.queue.models import Ranking

#: A backbone that costs next to nothing, see ``tests.tiny_network``.
TINY = "tiny:net"
_numbers = itertools.count(1)


def make_user(username: str | None = None, **fields: Any) -> User:
    """A person; the password is the user name."""
    username = username or f"person{next(_numbers)}"
    # One iteration: the real hasher checks it, and a hundred people do not cost half a minute.
    hashed = PBKDF2PasswordHasher().encode(username, "salt", iterations=1)
    return User.objects.create(username=username, password=hashed, **fields)


def make_project(
    *, classes: tuple[str, ...] = ("functional", "defective"), admin: User | None = None, **settings: Any
) -> Project:
    """A project with guideline version 1, on the tests' small network.

    No gold, no audit and no minimum viewing time unless asked for.
    """
    number = next(_numbers)
    admin = admin or make_user(f"admin{number}")
    defaults: dict[str, Any] = {"backbone": TINY, "gold_rate": 0.0, "audit_rate": 0.0, "min_view_ms": 0}
    fields = defaults | settings
    project = Project.objects.create(
        slug=fields.pop("slug", f"project-{number}"),
        name=f"Project {number}",
        question="Is this cell defective?",
        created_by=admin,
        **fields,
    )
    Membership.objects.create(project=project, user=admin, role=Role.ADMIN)
    guideline = Guideline.objects.create(project=project, number=1, note="First version", created_by=admin)
    for position, key in enumerate(classes):
        ClassDefinition.objects.create(
            guideline=guideline,
            label_class=LabelClass.objects.create(project=project, key=key),
            name=key.capitalize(),
            position=position,
            criteria=f"What makes a photo {key}.",
        )
    return project


def join(project: Project, *users: User, role: str = Role.LABELER) -> None:
    for user in users:
        Membership.objects.create(project=project, user=user, role=role)


def make_member(project: Project, role: str = Role.LABELER, username: str | None = None) -> User:
    user = make_user(username)
    join(project, user, role=role)
    return user


def _hash(number: int, *, unique: str) -> str:
    """An image hash that no other photo of this test session has.

    How it begins depends on ``number`` alone, the photos that were there before: trainings take photos in the order of
    their hashes, and so a test's figures are the same alone and after all others.
    """
    first, rest = (hashlib.sha256(text.encode()).hexdigest() for text in (f"photo {number}", unique))
    return first[:16] + rest[16:]


def make_items(project: Project, count: int, *, seed: int = 0) -> list[Item]:
    """Photos as rows only (no bytes stored), in the project."""
    rng = random.Random(seed)
    start, call = Image.objects.count(), next(_numbers)
    images = Image.objects.bulk_create(
        [
            Image(
                sha256=_hash(start + index, unique=f"{project.pk}-{call}-{index}"),
                format="PNG",
                width=64,
                height=64,
                size=100,
            )
            for index in range(count)
        ]
    )
    return Item.objects.bulk_create(
        [
            Item(project=project, image=image, name=f"{index:05}.png", random_key=rng.expovariate(1.0))
            for index, image in enumerate(images)
        ]
    )


@lru_cache(maxsize=512)
def photo_bytes(
    seed: int = 0, *, size: tuple[int, int] = (96, 80), format: str = "PNG", **save: Any
) -> bytes:
    """An encoded noise photo; the same seed gives the same bytes."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, format=format, **save)
    return buffer.getvalue()


def place_order(ranking: Ranking) -> None:
    """As an order is placed that a worker wrote: bands begin, and what is settled is counted in them."""
    margins: dict[int, list[float]] = {}
    scores = Score.objects.filter(model_version=ranking.model_version_id)
    for predicted, confidence in scores.values_list("predicted", "confidence"):
        margins.setdefault(predicted, []).append(confidence)
    steps.write_placements(ranking, margins)
    placing.place_settled(ranking, until=timezone.now() + timedelta(days=1))
