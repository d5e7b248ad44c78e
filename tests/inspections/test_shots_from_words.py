"""From what photographers say to a head that says which shot a photo shows: small made-up photos, and a real training."""

from __future__ import annotations

import io
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from PIL import Image as PillowImage
from pytest_django import Settings

from labeling.catalog.models import Project
from labeling.inspections.models import CaptureLink, InspectionPhoto, Protocol
from labeling.inspections.services import create_protocol, publish_version
from labeling.learning.deriving import derive_project
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.truth.models import GroundTruth, Origin
from tests.every_job import work
from tests.factories import make_project, make_user
from tests.inspections.capturing import address, make, send

pytestmark = pytest.mark.django_db

SIDE = 96
SHOTS = ("front", "rear", "interior")
_numbers = count(1)


@pytest.fixture(autouse=True)
def own_vectors(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.MODELS_DIR = tmp_path / "models"


def photo(shot: str) -> bytes:
    """Stripes, a disc, or neither; no two are alike."""
    dice = np.random.default_rng(next(_numbers))
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    if shot == "front":
        pixels = 128 + 90 * np.sign(np.sin((x + y * dice.uniform(0.5, 1.5)) / dice.uniform(2, 4)))
    elif shot == "rear":
        at_x, at_y = dice.uniform(30, 66, 2)
        pixels = np.where(np.hypot(x - at_x, y - at_y) < dice.uniform(12, 26), 40.0, 190.0)
    else:
        pixels = np.kron(dice.integers(20, 90, (4, 4)), np.ones((SIDE // 4, SIDE // 4)))
    out = io.BytesIO()
    noisy = np.clip(pixels + dice.normal(0, 10, pixels.shape), 0, 255)
    PillowImage.fromarray(noisy.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def photographed(protocol: Protocol, **shows: str) -> CaptureLink:
    """A new walk-round: for each shot a photo that shows ``shows`` of it."""
    link = make(protocol, identifier=f"car {next(_numbers)}")
    for shot, seen in shows.items():
        assert send(link, shot, photo(seen)).json()["photo"]["faults"] == []
    return link


def told(link: CaptureLink) -> dict[str, list[str]]:
    """Shot -> the advice on it, of those that are sent and not accepted, as the page asks for it."""
    state = Client().get(address(link)).json()
    assert not state["recognising"], "the worker has looked at everything"
    return {shot["key"]: shot["advice"] for shot in state["shots"] if shot["advice"]}


def recognising(protocol: Protocol, source: Project) -> Project:
    """A project of shots of the protocol's own, derived from the one that asks its photos."""
    shots, _job = derive_project(
        source=source,
        slug="shots",
        name="Shots",
        question="Which shot is it?",
        classes=[{"key": key, "name": key.capitalize()} for key in SHOTS],
        by=protocol.created_by,
    )
    publish_version(protocol=protocol, by=protocol.created_by, note="Recognise shots", shots_project=shots)
    return shots


def test_a_head_learns_shots_from_photographers_and_says_a_wrong_one_on_their_page() -> None:
    source = make_project(retrain_every=12)
    protocol = create_protocol(
        by=make_user(is_superuser=True),
        slug="walk",
        name="Walk",
        shots=[{"key": key, "name": key.capitalize(), "checks": [source.slug]} for key in SHOTS],
    )
    for _car in range(6):
        photographed(protocol, front="front", rear="rear")
    work()
    shots = recognising(protocol, source)
    work()
    first = champion(shots)
    assert first is not None and first.snapshot.counts == {"front": 6, "rear": 6}
    assert set(GroundTruth.objects.filter(project=shots).values_list("origin", flat=True)) == {
        Origin.IMPORTED
    }
    assert set(InspectionPhoto.objects.values_list("seen_as", "shot__key")) == {("front",) * 2, ("rear",) * 2}

    # The shots that it knows are told apart; one that it never saw is no other shot.
    mistaken = photographed(protocol, front="rear")
    others = [photographed(protocol, interior="interior") for _car in range(6)]
    right = [photographed(protocol, front="front", rear="rear") for _car in range(6)]
    work()
    assert list(told(mistaken)) == ["front"]
    assert "This does not look like “Front”" in told(mistaken)["front"][0]
    assert [told(link) for link in (*others, *right)] == [{}] * 12
    assert not GroundTruth.objects.filter(
        project=shots, item__name__startswith=f"capture-{mistaken.pk} "
    ).exists()

    # With what came since, 30 photos judge another version, though nobody but photographers said anything.
    second = champion(shots)
    assert second is not None and second.snapshot.counts == {"front": 12, "rear": 12, "interior": 6}
    assert ModelVersion.objects.filter(project=shots).count() == 2
    mistaken = photographed(protocol, interior="front", rear="rear")
    work()
    assert list(told(mistaken)) == ["interior"]
    assert send(mistaken, "interior", photo("interior")).json()["photo"]["faults"] == []
    work()
    assert told(mistaken) == {}
