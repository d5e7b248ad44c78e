"""What a photo shows, by the project of shots: what was said trains, and where the champion knows better it is said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.models import Item, Project
from labeling.inspections.capture.recognising import KIND, recognise, request_recognising
from labeling.inspections.models import CaptureLink, InspectionPhoto
from labeling.jobs.models import Job
from labeling.jobs.progress import Progress
from labeling.learning.models import ModelVersion, Promotion, Score, Snapshot
from labeling.people.models import User
from labeling.queue.events import ranking_swapped
from labeling.queue.models import Ranking
from labeling.truth.models import GroundTruth, Origin
from tests.factories import join, make_project, make_user, photo_bytes
from tests.inspections.capturing import address, make, make_protocol, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def shots() -> Project:
    return make_project(classes=("front", "rear"))


@pytest.fixture
def link(shots: Project) -> CaptureLink:
    return make(make_protocol(shots_project=shots))


def champion_of(shots: Project, *, fronts: int = 5) -> ModelVersion:
    """``fronts``: photos of the front that it learned from."""
    classes = list(shots.label_classes.order_by("key"))
    snapshot = Snapshot.objects.create(
        project=shots,
        guideline=shots.guidelines.get(),
        ground_truth_ids=[],
        digest="d" * 64,
        counts={"front": fronts, "rear": 40},
    )
    version = ModelVersion.objects.create(
        project=shots,
        number=1,
        snapshot=snapshot,
        backbone="tiny:net",
        backbone_hash="b" * 64,
        classes=[each.pk for each in classes],
        artifact="shots/1",
        manifest={},
        metrics={},
    )
    Promotion.objects.create(project=shots, model_version=version)
    return version


def score(version: ModelVersion, photo: InspectionPhoto, key: str, confidence: float) -> None:
    item = Item.objects.get(project=version.project, image=photo.image)
    predicted = version.project.label_classes.get(key=key)
    Score.objects.create(
        model_version=version,
        item=item,
        predicted=predicted,
        confidence=confidence,
        probabilities=[0.5 + confidence / 2, 0.5 - confidence / 2],
    )


def look(shots: Project) -> dict[str, int]:
    return recognise(Progress(Job.objects.create(kind=KIND, project_id=shots.pk)))


def test_what_the_photographer_said_trains_and_never_certifies(shots: Project, link: CaptureLink) -> None:
    for seed, shot in enumerate(("front", "rear")):
        send(link, shot, photo_bytes(seed))
    assert look(shots) == {"seen": 0, "wrong": 0, "taught": 2}
    truths = GroundTruth.objects.filter(project=shots).order_by("pk")
    assert [(each.label_class.key, each.origin) for each in truths if each.label_class] == [
        ("front", Origin.IMPORTED),
        ("rear", Origin.IMPORTED),
    ]
    assert look(shots)["taught"] == 0


def test_a_wrong_shot_is_said_and_trains_nobody(shots: Project, link: CaptureLink) -> None:
    send(link, "front", photo_bytes(1))
    version = champion_of(shots)
    photo = InspectionPhoto.objects.get()
    assert Client().get(address(link)).json()["recognising"]
    score(version, photo, "rear", 0.95)
    assert look(shots) == {"seen": 0, "wrong": 1, "taught": 0}
    told = Client().get(address(link)).json()
    front = told["shots"][0]
    assert not front["accepted"] and "Front" in front["advice"][0] and not told["recognising"]
    photo.refresh_from_db()
    assert (photo.faults, photo.seen_as) == (["wrong_shot"], "rear") and photo.inspection.look_wanted_at
    assert not GroundTruth.objects.filter(project=shots).exists()


def test_what_it_was_seen_as_is_told_to_members_once_people_have_said_it(
    shots: Project, link: CaptureLink
) -> None:
    send(link, "front", photo_bytes(1))
    photo = InspectionPhoto.objects.get()
    score(champion_of(shots), photo, "rear", 0.95)
    look(shots)
    stranger, member = make_user(), make_user()
    for user in (stranger, member):
        join(link.protocol.current.shots.all()[0].checks.get().project, user, role="reviewer")
    join(shots, member, role="reviewer")

    def told(user: User) -> tuple[str | None, list[str], bool]:
        client = Client()
        client.force_login(user)
        (sent,) = client.get(reverse("api-inspection", args=[photo.inspection_id])).json()["photos"]
        page = client.get(
            reverse("inspection", args=[link.protocol.slug, photo.inspection_id])
        ).content.decode()
        assert "1 photo was not taken for it" in page
        return sent["seen_as"], [each["code"] for each in sent["faults"]], "Another shot" in page

    nothing = (None, ["wrong_shot"], False)
    assert told(member) == nothing, "people may be asked about it yet"
    GroundTruth.objects.create(
        project=shots,
        item=Item.objects.get(project=shots),
        guideline=shots.guidelines.get(),
        kind="class",
        label_class=shots.label_classes.get(key="rear"),
        origin=Origin.AGREEMENT,
    )
    assert told(member) == ("rear", ["wrong_shot"], True)
    assert told(stranger) == nothing, "no member of the project of shots"


@pytest.mark.parametrize(
    ("seen", "confidence", "days", "fronts"),
    [("front", 0.99, 0, 5), ("rear", 0.89, 0, 5), ("rear", 0.99, 2, 5), ("rear", 0.99, 0, 4)],
    ids=["the same", "unsure", "long ago", "hardly learned"],
)
def test_else_it_stays(
    shots: Project, link: CaptureLink, seen: str, confidence: float, days: int, fronts: int
) -> None:
    send(link, "front", photo_bytes(1))
    InspectionPhoto.objects.update(created_at=timezone.now() - timedelta(days=days))
    score(champion_of(shots, fronts=fronts), InspectionPhoto.objects.get(), seen, confidence)
    found = look(shots)
    photo = InspectionPhoto.objects.get()
    assert (photo.faults, photo.seen_as, photo.seen_confidence) == ([], seen, confidence)
    assert found["wrong"] == 0 and found["taught"] == (0 if days else 1)


def test_what_was_said_before_there_was_a_champion_is_taken_back(shots: Project, link: CaptureLink) -> None:
    send(link, "front", photo_bytes(1))
    look(shots)
    score(champion_of(shots), InspectionPhoto.objects.get(), "rear", 0.95)
    assert look(shots)["wrong"] == 1
    assert not GroundTruth.objects.current().filter(project=shots).exists()


def test_a_new_order_of_a_project_of_shots_asks_for_a_look_and_no_other(
    shots: Project, link: CaptureLink
) -> None:
    for project in (shots, make_project()):
        ranking_swapped.send(sender=Ranking, project=project)
    assert Job.objects.filter(kind=KIND).values_list("project_id", flat=True).get() == shots.pk
    assert request_recognising(project=shots) == Job.objects.get(kind=KIND)
