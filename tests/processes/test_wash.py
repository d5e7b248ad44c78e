"""The demo's third group: a car wash with drawn cars, by the real services, and whether what it says is true.

What the network makes of the scenes is made up here and laid into the store beforehand, so that a few days tell the whole
story within a test's time; that the real network tells it, too, a run of ``manage.py demo`` shows.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import labeling.catalog.tasks
import labeling.explorer.tasks
import labeling.frontier.tasks
import labeling.gateway.tasks
import labeling.inspections.tasks
import labeling.learning.tasks
import labeling.monitors.tasks
import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from inference import backbones
from labeling.catalog import photos
from labeling.catalog.models import Project
from labeling.frontier.models import Certificate
from labeling.gateway.demo import cars, scenes, wash
from labeling.gateway.management.commands.demo import PEOPLE, _accounts
from labeling.gateway.serving import Address
from labeling.inspections.models import Inspection, InspectionPhoto, Protocol
from labeling.jobs import runner
from labeling.jobs.models import JobState
from labeling.learning.compute.stores import store_of
from labeling.learning.selectors import champion
from labeling.people.models import User

pytestmark = pytest.mark.django_db
DAYS = 6
SMALL = wash.Sizes(a_day=4, earlier=60, sample=125, planned=80, answers=24, answers_at_last=6)


@cache
def drawn() -> dict[tuple[int, str, bool], bytes]:
    """Every photo that comes: each is drawn once."""
    earlier = range(cars.EARLIER, cars.EARLIER + SMALL.earlier)
    return {
        (number, shot, shaken): photo(cars.wash(number), shot, shaken=shaken)
        for number in (*range(1, SMALL.cars(DAYS - 1).stop), *earlier)
        for shot in cars.wash(number).shows
        for shaken in (False, True)
        if not shaken or shot in cars.wash(number).shaken
    }


photo = cars.Wash.photo


@pytest.fixture
def protocol(
    settings: Any, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Protocol:
    settings.ADAPT_AFTER = 0
    for name in ("MODELS_DIR", "EMBEDDINGS_DIR", "BACKBONES_DIR"):
        setattr(settings, name, tmp_path_factory.mktemp(name))
    # So few random photos prove less.
    monkeypatch.setattr(wash, "COURSE", replace(wash.COURSE, days=DAYS))
    for name, value in {"TAKEN_IN": 1, "TRAINED": 2, "PRECISION": 0.5}.items():
        monkeypatch.setattr(wash, name, value)
    monkeypatch.setattr(
        cars.Wash, "photo", lambda self, shot, *, shaken=False: drawn()[self.number, shot, shaken]
    )
    dice = np.random.default_rng(5)
    backbone = backbones.load("efficientnet_lite0")
    hashes, rows = [], []
    for (number, shot, _shaken), data in drawn().items():
        row = dice.normal(size=backbone.dim)
        at = 40 * [scenes.FOAM, scenes.TUNNEL, scenes.PLAIN].index(cars.wash(number).shows[shot])
        row[at : at + 40] += 3.0
        hashes.append(hashlib.sha256(data).hexdigest())
        rows.append(row)
    store_of(backbone).append(hashes, np.array(rows, dtype=np.float32))
    _accounts(Address("127.0.0.1", 8000))
    job = wash.begin(by=User.objects.get(username="admin1"), members=PEOPLE, sizes=SMALL)
    while job is not None and job.is_live:
        runner.run(job.pk)
        job.refresh_from_db()
        assert job.state == JobState.SUCCEEDED, job.error + job.trace
        job = wash.COURSE.newest_day()
    return Protocol.objects.get(slug=wash.SLUG)


def test_inspections_arrive_are_judged_as_they_were_drawn_and_some_wait(
    protocol: Protocol,
) -> None:
    inspections = Inspection.objects.filter(protocol=protocol).select_related("verdict")
    assert len(inspections) == SMALL.cars(DAYS - 1).stop - 1
    assert all(each.verdict is not None for each in inspections), "each was judged"
    for each in inspections:
        washed = cars.wash(int(each.external_id.removeprefix("wash-")))
        proofs = {
            shot
            for shot, what in washed.shows.items()
            if what == scenes.TUNNEL or (what == scenes.FOAM and shot not in washed.thin)
        }
        assert each.verdict is not None
        if each.verdict.outcome == "passed" and not washed.thin:
            assert proofs, each.external_id
        if each.verdict.outcome == "failed":
            assert not proofs and each.verdict.by is not None and each.verdict.reason
    assert inspections.filter(verdict__outcome="passed").count() > len(inspections) / 3
    assert champion(wash.project_of(protocol)) is not None
    assert inspections.filter(verdict__outcome="held", verdict__told__unknown__0__isnull=False).exists(), (
        "some wait"
    )
    automatic = [each for each in inspections if each.verdict and each.verdict.bound is not None]
    assert any(each.outcome == "passed" for each in automatic), "some passed by what the machine decided"
    for each in automatic:
        assert each.verdict is not None and each.verdict.bound is not None
        machine = [part for part in each.verdict.told["parts"] if part["by"] == "machine"]
        proven = Certificate.objects.filter(pk__in=[part["certificate"] for part in machine])
        assert proven and all(stated.n and stated.bound >= 0.5 for stated in proven), "by what was proven"
    retaken = InspectionPhoto.objects.filter(inspection__protocol=protocol).exclude(faults=[])
    assert retaken.exists() and {code for each in retaken for code in each.faults} == {"blurred"}
    assert "made up" in Project.objects.get(pk=wash.project_of(protocol).pk).description
    assert wash.begin(by=protocol.created_by, members=PEOPLE) is None, "it is made once"


def test_a_scene_is_good_enough_to_be_photographed_and_like_no_other() -> None:
    dice = random.Random(3)
    seen = [
        photos.examine(scenes.draw(scenes.any_car(dice, 7), shot, what, dice))
        for shot in scenes.SHOTS
        for what in (scenes.FOAM, scenes.PLAIN)
    ]
    assert min(each.sharpness for each in seen) > 60
    assert all(45 < each.brightness < 210 for each in seen)
    assert len({each.fingerprint for each in seen}) == len(seen)
