"""A project with settled photos that have bytes, of two classes, in two sources."""

from __future__ import annotations

import hashlib

import pytest

from labeling.catalog import storage
from labeling.catalog.models import Image, Item, LabelClass, Project
from labeling.catalog.photos import examine
from labeling.catalog.selectors import current_guideline
from labeling.truth.models import Draw, GroundTruth, Origin, TruthKind
from tests.factories import make_project, photo_bytes

NAMES = ("앞면 1.png", "../=up.png", "a b.png", "side.png", "back.PNG", "roof.png")


def settle(project: Project, item: Item, key: str, **fields: object) -> GroundTruth:
    return GroundTruth.objects.create(
        project=project,
        item=item,
        kind=TruthKind.CLASS,
        label_class=LabelClass.objects.get(project=project, key=key),
        guideline=current_guideline(project),
        **{"origin": Origin.AGREEMENT, "draw": Draw.RANK} | fields,
    )


def keep_photos(project: Project) -> dict[str, bytes]:
    """Photos with bytes come into the project: name -> bytes."""
    found = {}
    for number, name in enumerate(NAMES):
        data = found[name] = photo_bytes(number)
        photo, sha256 = examine(data), hashlib.sha256(data).hexdigest()
        image, made = Image.objects.get_or_create(
            sha256=sha256,
            defaults={
                "format": photo.format,
                "width": photo.width,
                "height": photo.height,
                "size": len(data),
            },
        )
        if made:
            storage.keep(sha256, data, photo.renditions)
        Item.objects.create(
            project=project, image=image, name=name, source=f"day {number % 2}", random_key=number
        )
    return found


def settle_photos(project: Project) -> Project:
    """The same, each with a ground truth."""
    keep_photos(project)
    for number, item in enumerate(Item.objects.filter(project=project).order_by("pk")):
        settle(project, item, "functional" if number % 3 else "defective")
    return project


@pytest.fixture
def settled(db: None) -> Project:
    return settle_photos(make_project())
