"""Beside a dispute stand the settled photos that look most like it, from the first embedding on and without any model."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from inference import backbones
from labeling.catalog.models import Item, LabelClass, Project
from labeling.jobs.models import Job, JobState
from labeling.learning.compute.stores import store_of
from labeling.learning.events import embedded
from labeling.learning.lookalikes import JOB_KIND, lookalikes_of, request_lookalikes
from labeling.learning.models import Lookalikes, ModelVersion
from labeling.truth.models import GroundTruth, Origin, Ruling
from labeling.truth.selectors import dispute_detail, open_disputes
from labeling.truth.services import Answer, Viewing, record_answer, rule
from tests.factories import make_items, make_member, make_project
from tests.learning.building import run_job, settle

pytestmark = pytest.mark.django_db


def put(project: Project, items: list[Item], places: list[float]) -> None:
    """Embeddings along a line: those whose places are near look alike."""
    store = store_of(backbones.load(project.backbone))
    dice = np.random.default_rng(0)
    axis, noise = dice.normal(size=store.dim), dice.normal(size=(len(items), store.dim))
    rows = np.array(places)[:, None] * axis + 0.01 * noise
    store.append([item.image.sha256 for item in items], rows.astype(np.float32))


def dispute(project: Project, item: Item) -> None:
    for key in ("functional", "defective"):
        record_answer(
            project=project,
            labeler=make_member(project),
            key=uuid.uuid4(),
            answer=Answer("class", key),
            viewing=Viewing(item_id=item.pk, round=1, draw="rank", context={}, view_ms=500),
        )


def work(project: Project) -> list[Job]:
    done = []
    waiting = Job.objects.of_project(project.pk).filter(kind=JOB_KIND, state=JobState.QUEUED)
    while job := waiting.first():
        done.append(run_job(job))
        assert done[-1].state == JobState.SUCCEEDED, done[-1].error + done[-1].trace
    return done


class Scene:
    """Twelve settled photos on a line, by turns of either class, and one in dispute among them."""

    def __init__(self) -> None:
        self.project = make_project()
        *self.settled, self.asked = make_items(self.project, 13)
        keys = [("functional", "defective")[place % 2] for place in range(12)]
        put(self.project, [*self.settled, self.asked], [float(place - 6) for place in range(12)] + [3.1])
        settle(self.project, self.settled, keys)
        dispute(self.project, self.asked)
        self.classes = {each.key: each.pk for each in LabelClass.objects.filter(project=self.project)}

    def alike(self, limit: int = 4) -> dict[str, list[int]]:
        found = lookalikes_of(self.project, self.asked.pk, limit)
        keys = {pk: key for key, pk in self.classes.items()}
        return {
            keys[pk]: [self.settled.index(Item.objects.get(pk=i)) for i in ids] for pk, ids in found.items()
        }


def test_a_dispute_is_compared_in_the_backbones_space_before_there_is_a_model() -> None:
    scene = Scene()
    assert not ModelVersion.objects.exists()
    assert scene.alike() == {}
    (job,) = work(scene.project)
    assert job.result == {"disputes": 1, "settled": 12}
    # In direction from the middle all on one side are alike: those of its own side come before any of the other.
    found = scene.alike()
    assert {key: len(places) for key, places in found.items()} == {"functional": 4, "defective": 4}
    assert set(found["functional"][:3]) <= {6, 8, 10} and set(found["defective"][:3]) <= {7, 9, 11}
    detail = dispute_detail(open_disputes(scene.project).get())
    assert [side.key for side in detail.beside] == ["functional", "defective"]
    assert all(side.alike and len(side.photos) == 4 for side in detail.beside)


def test_gold_and_what_one_answer_settled_are_left_out_and_another_word_moves_a_photo() -> None:
    scene = Scene()
    truths = {each.item_id: each for each in GroundTruth.objects.filter(item__in=scene.settled)}
    for place, origin, key in (
        (8, Origin.GOLD, "functional"),
        (9, Origin.ASSISTED, "defective"),
        (10, Origin.AGREEMENT, "defective"),
    ):
        item = scene.settled[place]
        GroundTruth.objects.create(
            project=scene.project, item=item, kind="class", label_class_id=scene.classes[key], origin=origin,
            guideline=truths[item.pk].guideline, supersedes=truths[item.pk],
        )  # fmt: skip
    work(scene.project)
    found = scene.alike(12)
    assert not {8, 9} & {place for places in found.values() for place in places}
    assert 10 in found["defective"] and 10 not in found["functional"]
    # Settled otherwise after the search: it stands where it belongs without another one.
    item = scene.settled[7]
    GroundTruth.objects.create(
        project=scene.project, item=item, kind="class", label_class_id=scene.classes["functional"],
        origin=Origin.AGREEMENT, guideline=truths[item.pk].guideline, supersedes=truths[item.pk],
    )  # fmt: skip
    assert 7 in scene.alike(12)["functional"]


def test_a_ruling_stands_beside_the_next_dispute_and_a_later_embedding_is_compared_too() -> None:
    scene = Scene()
    following, late = make_items(scene.project, 2)
    put(scene.project, [following], [3.1])
    dispute(scene.project, following)
    dispute(scene.project, late)
    work(scene.project)
    assert not Lookalikes.objects.filter(item=late).exists()
    first = open_disputes(scene.project).get(item=scene.asked)
    rule(
        project=scene.project, dispute_id=first.pk, reviewer=scene.project.created_by, outcome="class",
        class_key="defective",
    )  # fmt: skip
    assert Ruling.objects.exists() and len(work(scene.project)) == 1
    assert scene.asked.pk in lookalikes_of(scene.project, following.pk, 4)[scene.classes["defective"]]
    put(scene.project, [late], [-3.1])
    embedded.send(sender=Job, project=scene.project)
    work(scene.project)
    assert Lookalikes.objects.filter(item=late).exists()


def test_many_disputes_wait_for_one_job_and_none_is_asked_for_where_none_is_open() -> None:
    scene = Scene()
    more = make_items(scene.project, 3)
    for item in more:
        dispute(scene.project, item)
    assert Job.objects.of_project(scene.project.pk).filter(kind=JOB_KIND).count() == 1
    assert request_lookalikes(project=make_project()) is None
