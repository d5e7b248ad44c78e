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


@pytest.mark.parametrize(
    ("kind", "result", "said"),
    [
        (
            "embed",
            {"embedded": 1088, "already": 1536, "backbones": [{}, {"name": "lite1", "embedded": 2624}]},
            "1,088 photos embedded, 1,536 had been before. lite1: 2,624.",
        ),
        ("decide", {"decided": 0, "waiting": {"no_model": 2594}}, "there is no model: 2,594"),
        ("train", {"model": 1200, "ground_truths": 1200}, "Version 1200 from 1,200 ground truths."),
    ],
)
def test_counts_have_their_thousands_apart_and_versions_have_not(
    kind: str, result: dict[str, Any], said: str
) -> None:
    (row,) = lines([job(kind=kind, result=result)])
    assert said in row.outcome


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Embedding photos · domain:p1-d196 (2/2)", "Embedding photos · an adapted backbone (2/2)"),
        ("Embedding photos · efficientnet_lite0 (1/2)", "Embedding photos · efficientnet_lite0 (1/2)"),
        ("Embedding photos", "Embedding photos"),
        ("", ""),
    ],
)
def test_what_a_running_job_says_names_backbones_as_people_read_them(message: str, said: str) -> None:
    (row,) = lines([job(JobState.RUNNING, kind="embed", message=message)])
    assert row.message == said
