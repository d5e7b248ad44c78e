"""Twenty processes claim and answer at once on a small pool; the database keeps the promises."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.db.models import Count

from config.database import ROOT
from labeling.queue.models import Slot
from labeling.truth.models import Annotation, GroundTruth
from tests.factories import make_items, make_member, make_project
from tests.queue.conftest import rank_by_hand
from tests.stack import Stack

PROCESSES = 20
PHOTOS = 60


@pytest.mark.django_db(transaction=True)
def test_twenty_processes_at_once_lend_no_answer_twice_and_lose_none() -> None:
    project = make_project(bands=3, boundary_after=30, audit_rate=0.2)
    rank_by_hand(project, make_items(project, PHOTOS))
    people = [make_member(project) for _ in range(PROCESSES)]
    names = [person.username for person in people]
    done = subprocess.run(
        [sys.executable, "-m", "tests.queue.labeler_process", project.slug, *names],
        cwd=ROOT,
        env=Stack().environment(),
        capture_output=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    acknowledged: list[str] = json.loads(done.stdout)

    stored = [str(key) for key in Annotation.objects.filter(project=project).values_list("key", flat=True)]
    assert sorted(stored) == sorted(acknowledged)
    answers = Annotation.objects.filter(project=project).values("item").annotate(n=Count("id"))
    assert {row["n"] for row in answers} == {2}, "every photo got exactly the wanted answers"
    assert len(answers) == PHOTOS
    twice = Slot.objects.filter(project=project).values("item", "round", "holder").annotate(n=Count("id"))
    assert {row["n"] for row in twice} == {1}
    assert GroundTruth.objects.current().filter(project=project).count() == PHOTOS
