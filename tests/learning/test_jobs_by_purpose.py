"""Jobs stand under what they are for: what runs or failed first, and hundreds of one kind hide no other."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.jobs import handlers
from labeling.jobs.models import Job, JobState
from labeling.learning.job_lines import NAMES
from labeling.learning.job_purposes import NEWEST, OPEN, PurposeJobs, by_purpose
from tests.factories import make_project

pytestmark = pytest.mark.django_db


def ended(
    project: Project, kind: str, state: str = JobState.SUCCEEDED, *, ago: int = 0, **fields: Any
) -> Job:
    job = Job.objects.create(project_id=project.pk, kind=kind, state=state, **fields)
    moment = timezone.now() - timedelta(minutes=ago)
    Job.objects.filter(pk=job.pk).update(created_at=moment, finished_at=moment)
    return job


def groups(project: Project) -> dict[str, PurposeJobs]:
    return {group.purpose.key: group for group in by_purpose(project)}


def test_what_runs_comes_first_then_what_failed_then_the_way_of_a_photo() -> None:
    project = make_project()
    ended(project, "intake", ago=50)
    ended(project, "train", JobState.FAILED, ago=40, error="Too few.")
    ended(project, "rank", JobState.RUNNING, ago=1)
    ended(project, "estimates", ago=5)
    assert list(groups(project)) == ["queue", "training", "photos", "agreement"]
    text = reverse("jobs", args=[project.slug])
    client = Client()
    client.force_login(project.created_by)
    page = client.get(text).content.decode()
    assert page.index("Ordering the queue") < page.index("Too few.")
    assert page.index("Too few.") < page.index("Taking in photos")


def test_a_failure_is_pressing_until_one_of_its_kind_succeeds() -> None:
    project = make_project()
    ended(project, "embed", JobState.FAILED, ago=9, error="No memory.")
    assert [line.job.kind for line in groups(project)["photos"].pressing] == ["embed"]
    ended(project, "intake", ago=5)
    assert groups(project)["photos"].failed == 1, "another kind says nothing of it"
    ended(project, "embed", ago=1)
    group = groups(project)["photos"]
    assert group.pressing == [] and {line.job.kind for line in group.ended} == {"embed", "intake"}


def test_hundreds_of_one_kind_are_few_lines_and_hide_no_training() -> None:
    project = make_project()
    training = ended(project, "train", ago=10_000, result={"model": 1, "ground_truths": 40})
    for number in range(NEWEST + 10):
        ended(project, "certify", ago=number, result={"labels": 1, "pending": 0, "issued": number % 2})
    found = groups(project)
    assert [line.job.pk for line in found["training"].ended] == [training.pk]
    group = found["certificates"]
    assert len(group.ended) == OPEN and len(group.earlier) == NEWEST - OPEN
    for job in Job.objects.filter(kind="certify"):
        Job.objects.filter(pk=job.pk).update(result={"labels": 1, "pending": 0, "issued": 0})
    (line,) = groups(project)["certificates"].ended
    assert line.times == NEWEST


def test_a_kind_that_nobody_knows_has_a_place() -> None:
    project = make_project()
    ended(project, "dust_the_shelves")
    assert list(groups(project)) == ["other"]


def test_every_kind_of_job_has_its_name() -> None:
    for room in settings.ROOMS:
        if find_spec(f"labeling.{room}.tasks"):
            import_module(f"labeling.{room}.tasks")
    kinds = {
        kind for kind, handler in handlers._handlers.items() if handler.__module__.startswith("labeling.")
    }
    assert {"train", "wash"} <= kinds
    assert kinds - NAMES.keys() == set(), "the page would call it by its key, in English"
