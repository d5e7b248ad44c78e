"""Twenty alike jobs are one line of the page; what differs, runs or could be tried again otherwise has its own."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from labeling.jobs.models import Job, JobState
from labeling.learning.job_lines import folded, lines
from labeling.people.models import User
from tests.factories import make_user


def job(state: str = JobState.SUCCEEDED, *, by: User | None = None, **fields: Any) -> Job:
    moment = timezone.now()
    return Job(
        kind=fields.pop("kind", "explain"),
        state=state,
        requested_by=by,
        created_at=moment,
        updated_at=moment,
        **fields,
    )


@pytest.mark.django_db
def test_twenty_alike_are_one_line_whoever_asked_for_them() -> None:
    person = make_user()
    for by in (None, person):
        for alike in ({}, {"state": JobState.FAILED, "error": "No file."}, {"state": JobState.CANCELLED}):
            (row,) = folded(lines(job(by=by, **alike) for _ in range(20)))
            assert (row.times, row.earlier) == (20, 19)


@pytest.mark.django_db
def test_what_is_not_alike_has_a_line_of_its_own() -> None:
    person = make_user()
    pairs = [
        (job(), job(by=person)),
        (job(), job(kind="rank")),
        (job(JobState.FAILED, error="No file."), job(JobState.FAILED, error="No memory.")),
        (job(JobState.FAILED, args={"decision": 1}), job(JobState.FAILED, args={"decision": 2})),
        (job(kind="rank", result={"photos": 1}), job(kind="rank", result={"photos": 2})),
        (job(JobState.RUNNING), job(JobState.RUNNING)),
        (job(JobState.QUEUED), job(JobState.QUEUED)),
    ]
    for pair in pairs:
        assert len(folded(lines(pair))) == 2, pair
