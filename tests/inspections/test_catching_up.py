"""A version that asks a further project brings photos of earlier inspections along: once each, by a job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from labeling.catalog.models import Item, Metadata
from labeling.inspections.catching_up import KIND
from labeling.inspections.protocols import described
from labeling.inspections.services import Sent, publish_version, record_inspection
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from tests.factories import make_project
from tests.inspections.conftest import Yard, picture


def recorded(yard: Yard, name: str, days_ago: int, *photos: tuple[str, bytes]) -> None:
    record_inspection(
        protocol=yard.protocol,
        by=yard.clerk,
        external_id=name,
        asset={"identifier": name},
        event="wash",
        happened_at=timezone.now() - timedelta(days=days_ago),
        photos=[Sent(shot, data) for shot, data in photos],
    )


def ask_dirt(yard: Yard, days: int | None) -> None:
    """Of the front only."""
    shots: list[Any] = described(yard.protocol.current)["shots"]
    shots[0] = shots[0] | {"checks": [*shots[0]["checks"], "dirt"]}
    publish_version(protocol=yard.protocol, by=yard.root, note="Dirt", shots=shots, photos_of_days=days)


def test_photos_of_the_last_days_come_in_once_and_those_before_do_not(yard: Yard) -> None:
    dirt = make_project(slug="dirt")
    recorded(yard, "old", 30, ("front", picture(1)))
    recorded(yard, "new", 3, ("front", picture(2)), ("front", picture(3)), ("rear", picture(4)))
    recorded(yard, "refused", 2, ("front", b"no photo"))
    ask_dirt(yard, 7)
    (job,) = Job.objects.filter(kind=KIND)
    assert job.project_id == dirt.pk
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (JobState.SUCCEEDED, {"inspections": 2, "photos": 1})
    (item,) = Item.objects.filter(project=dirt)
    assert item.name == "new front", "of a shot that was taken twice, the one that counts"
    assert Metadata.objects.get(item=item).data["shot"] == "front"
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)  # as if another worker took it up
    runner.run(job.pk)
    assert Item.objects.filter(project=dirt).count() == 1


def test_none_come_unless_it_is_asked_for(yard: Yard) -> None:
    make_project(slug="dirt")
    recorded(yard, "new", 3, ("front", picture(2)))
    ask_dirt(yard, None)
    assert not Job.objects.filter(kind=KIND).exists()
