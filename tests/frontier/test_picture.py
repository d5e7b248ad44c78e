"""The frontier picture is counted from real rows: scores, the queue's entries, and what people settled."""

from __future__ import annotations

import dataclasses

import pgtrigger
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.catalog.models import Item, LabelClass, Project
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import amend_guideline
from labeling.frontier.picture import BandState, picture, ridge_path
from labeling.jobs.models import Job, JobState
from labeling.learning.models import ModelVersion, Promotion, Score, Snapshot
from labeling.queue.models import BandOpening, Entry, Ranking
from labeling.queue.pace import needed_for
from labeling.queue.places import ARRIVALS
from labeling.queue.placing import STEPS
from labeling.truth.models import GroundTruth, Origin
from tests.factories import make_items, make_project, place_order

pytestmark = pytest.mark.django_db

BANDS = 3
#: margins of a ladder's ten photos, outermost first; bands of three, three and four
MARGINS = (0.95, 0.93, 0.90, 0.70, 0.66, 0.60, 0.40, 0.30, 0.20, 0.05)


def band_of(index: int) -> int:
    return min(index // 3, BANDS - 1)


class Scene:
    """``photos`` of each class scored by a champion and ranked; band ``current`` is open."""

    def __init__(self, *classes: str, current: int = 1) -> None:
        names = classes or ("functional", "defective")
        self.project = make_project(classes=names, bands=BANDS)
        self.classes = {c.key: c for c in LabelClass.objects.filter(project=self.project)}
        guideline = current_guideline(self.project)
        snapshot = Snapshot.objects.create(
            project=self.project, guideline=guideline, ground_truth_ids=[], digest="0" * 64, counts={}
        )
        interval = {"value": 0.8, "low": 0.7, "high": 0.9}
        self.model = ModelVersion.objects.create(
            project=self.project,
            number=1,
            snapshot=snapshot,
            backbone="none",
            backbone_hash="0" * 64,
            classes=[self.classes[key].pk for key in names],
            artifact="none",
            manifest={},
            metrics={"cross_validated": {"n": 4, "accuracy": interval, "classes": {}}, "audit": None},
        )
        Promotion.objects.create(project=self.project, model_version=self.model)
        self.ranking = Ranking.objects.create(
            project=self.project,
            number=1,
            strategy="inward",
            bands=BANDS,
            model_version=self.model,
            current=True,
        )
        self.items: dict[str, list[Item]] = {}
        summary: dict[str, dict[str, list[float]]] = {}
        for index, key in enumerate(names):
            self.items[key] = make_items(self.project, len(MARGINS), seed=index)
            for place, (item, margin) in enumerate(zip(self.items[key], MARGINS, strict=True)):
                top = (1 + margin) / 2
                rest = [0.0] * (len(names) - 2)
                probabilities = [1 - top, *rest]
                probabilities.insert(index, top)
                Score.objects.create(
                    model_version=self.model,
                    item=item,
                    predicted=self.classes[key],
                    confidence=margin,
                    probabilities=probabilities,
                )
                Entry.objects.create(
                    ranking=self.ranking,
                    item=item,
                    ladder=self.classes[key],
                    band=band_of(place),
                    position=place,
                    confidence=margin,
                    free=2,
                )
                cell = summary.setdefault(str(self.classes[key].pk), {}).setdefault(
                    str(band_of(place)), [1.0, 0.0, 0]
                )
                cell[0], cell[1], cell[2] = min(cell[0], margin), max(cell[1], margin), cell[2] + 1
        self.ranking.summary = summary
        self.ranking.save(update_fields=["summary"])
        place_order(self.ranking)
        if current:
            BandOpening.objects.create(project=self.project, band=current, cause="pace", figures={})

    def settle(self, item: Item, key: str, origin: str = Origin.AGREEMENT) -> GroundTruth:
        Entry.objects.filter(item=item).delete()
        return GroundTruth.objects.create(
            project=self.project,
            item=item,
            kind="class",
            label_class=self.classes[key],
            origin=origin,
            guideline=current_guideline(self.project),
        )


def counts(bands: list) -> list[tuple[int, int]]:  # type: ignore[type-arg]
    return [(band.settled, band.waiting) for band in bands]


def test_two_classes_make_one_line_that_meets_at_the_boundary() -> None:
    scene = Scene()
    (line,) = picture(scene.project).lines
    assert [(b.key, b.number) for b in line.bands] == [
        ("functional", 0),
        ("functional", 1),
        ("functional", 2),
        ("defective", 2),
        ("defective", 1),
        ("defective", 0),
    ]
    assert [b.state for b in line.bands] == [
        BandState.PASSED,
        BandState.OPEN,
        BandState.CLOSED,
        BandState.CLOSED,
        BandState.OPEN,
        BandState.PASSED,
    ]
    assert [b.boundary for b in line.bands] == [False, False, True, True, False, False]


def test_three_classes_make_three_stacked_ladders() -> None:
    seen = picture(Scene("passed", "washed", "dirty").project)
    assert [line.left.key for line in seen.lines] == ["passed", "washed", "dirty"]
    assert all(line.right is None for line in seen.lines)
    assert [len(line.bands) for line in seen.lines] == [3, 3, 3]


def test_settled_photos_count_in_the_band_where_the_champion_puts_them() -> None:
    scene = Scene()
    functional = scene.items["functional"]
    for place in (0, 2, 3, 9):
        scene.settle(functional[place], "functional")
    scene.settle(scene.items["defective"][5], "functional")  # people disagree with the model: still its band
    (line,) = picture(scene.project).lines
    assert counts(line.left.bands) == [(2, 1), (1, 2), (1, 3)]
    assert line.right is not None
    assert counts(line.right.bands) == [(0, 3), (1, 2), (0, 4)]


def test_the_audits_dots_say_where_random_photos_were_not_as_predicted() -> None:
    scene = Scene()
    functional = scene.items["functional"]
    for place, said in ((0, "functional"), (1, "defective"), (2, "functional"), (9, "defective")):
        truth = scene.settle(functional[place], said)
        Item.objects.filter(pk=functional[place].pk).update(audit_drawn_at=truth.created_at)
    scene.settle(functional[3], "defective")  # the queue chose it: no dot
    learned = GroundTruth.objects.get(item=functional[2])
    with pgtrigger.ignore("learning.Snapshot:append_only"):
        Snapshot.objects.filter(pk=scene.model.snapshot_id).update(ground_truth_ids=[learned.pk])
    (line,) = picture(scene.project).lines
    assert [(b.audited, b.audit_wrong) for b in line.left.bands] == [
        (2, 1),
        (0, 0),
        (1, 1),
    ]  # without the one it learned from
    assert [b.dots for b in line.left.bands] == [[False, True], [], [True]]
    wrong = GroundTruth.objects.get(item=functional[1])
    GroundTruth.objects.create(
        project=scene.project, item=functional[1], kind="class", label_class=scene.classes["functional"],
        origin=Origin.RULING, supersedes=wrong, guideline=wrong.guideline,
    )  # fmt: skip
    (again,) = picture(scene.project).lines
    assert [b.dots for b in again.left.bands] == [[False, False], [], [True]], (
        "what is kept is not what was said before"
    )
    many = dataclasses.replace(line.left.bands[0], audited=500, audit_wrong=3)
    assert many.dots == [False] * 11 + [True]


def test_gold_and_superseded_ground_truths_are_not_counted_as_settled() -> None:
    scene = Scene()
    scene.settle(scene.items["functional"][0], "functional", origin=Origin.GOLD)
    first = scene.settle(scene.items["functional"][1], "functional")
    GroundTruth.objects.create(
        project=scene.project,
        item=first.item,
        kind="withdrawn",
        origin=Origin.WITHDRAWAL,
        guideline=first.guideline,
        supersedes=first,
    )
    (line,) = picture(scene.project).lines
    assert [b.settled for b in line.left.bands] == [0, 0, 0]


def test_the_ridge_holds_every_scored_photo_once() -> None:
    scene = Scene()
    (line,) = picture(scene.project).lines
    assert len(line.left.ridge) == BANDS * STEPS
    assert [sum(line.left.ridge[b * STEPS : (b + 1) * STEPS]) for b in range(BANDS)] == [3, 3, 4]
    assert line.right is not None
    assert line.right.photos == 10


def test_photos_that_came_later_and_settled_ones_without_a_score_are_said_not_drawn() -> None:
    scene = Scene()
    late, unscored = make_items(scene.project, 2)
    Entry.objects.create(ranking=scene.ranking, item=late, band=ARRIVALS, position=0, free=2)
    scene.settle(unscored, "functional")
    seen = picture(scene.project)
    assert (seen.waiting_unranked, seen.settled_unplaced) == (1, 1)


def test_predictions_of_a_merged_class_count_on_the_ladder_it_was_merged_into() -> None:
    scene = Scene("passed", "washed", "dirty")
    amend_guideline(
        project=scene.project,
        by=scene.project.created_by,
        note="One kind of clean",
        merge={"washed": "passed"},
    )
    scene.settle(scene.items["washed"][0], "passed")
    (line,) = picture(scene.project).lines
    assert line.left.key == "passed"
    assert line.left.photos == 20
    assert line.left.bands[0].settled == 1


def test_the_open_band_says_what_it_still_needs() -> None:
    scene = Scene(current=0)
    scene.project.boundary_after = 10
    scene.project.save()
    scene.settle(scene.items["functional"][0], "functional")
    open_band = picture(scene.project).open_band
    assert open_band is not None
    missing = needed_for(scene.project, 1) - 1
    assert missing > 1
    assert open_band.needs == f"The next band opens with {missing} more ground truths."
    at_boundary = Scene(current=BANDS - 1)
    assert "stays here" in next(
        b.needs
        for line in picture(at_boundary.project).lines
        for b in line.bands
        if b.state is BandState.OPEN
    )


def test_before_a_model_the_picture_says_what_the_first_one_needs() -> None:
    project = make_project()
    assert "Take some in" in picture(project).empty
    items = make_items(project, 4)
    assert "at least two ground truths" in picture(project).empty
    _settle_all(project, items)
    ready = picture(project)
    assert ready.lines == []
    assert "enough ground truths to train" in ready.empty


def test_until_the_pool_is_ordered_by_the_new_champion_no_stale_bands_are_drawn() -> None:
    scene = Scene()
    Ranking.objects.filter(pk=scene.ranking.pk).update(model_version=None)
    Job.objects.create(kind="rank", project_id=scene.project.pk)
    seen = picture(scene.project)
    assert seen.lines == []
    assert "put in order by the new model" in seen.empty


def test_the_picture_costs_the_same_number_of_queries_however_many_photos_are_settled() -> None:
    scene = Scene()
    picture(scene.project)
    with CaptureQueriesContext(connection) as few:
        picture(scene.project)
    for item in scene.items["functional"]:
        scene.settle(item, "functional")
    with CaptureQueriesContext(connection) as many:
        picture(scene.project)
    assert len(many) == len(few)


def test_the_ridge_is_a_closed_path_of_steps() -> None:
    assert ridge_path([1, 2]) == "M0 100L0 50.0L1 50.0L1 0.0L2 0.0L2 100Z"
    assert ridge_path([0, 0]) == ""


def _settle_all(project: Project, items: list[Item]) -> None:
    classes = list(LabelClass.objects.filter(project=project))
    for index, item in enumerate(items):
        GroundTruth.objects.create(
            project=project,
            item=item,
            kind="class",
            label_class=classes[index % 2],
            origin=Origin.AGREEMENT,
            guideline=current_guideline(project),
        )


def test_a_pool_without_an_order_says_why_and_never_waits_for_nothing() -> None:
    """ "Label everything, train, promote" once left it "being put in order" for ever."""
    scene = Scene()
    Ranking.objects.filter(pk=scene.ranking.pk).update(summary={})
    said = picture(scene.project).empty
    assert "a way of its own, without bands" in said  # photos wait, in an order that the model has made
    Entry.objects.filter(ranking=scene.ranking).delete()
    assert picture(scene.project).empty == (
        "No photo waits for an answer, so there is nothing to put in order. New photos begin the bands."
    )
    Ranking.objects.filter(pk=scene.ranking.pk).update(model_version=None)
    assert picture(scene.project).empty.startswith("No photo waits")
    job = Job.objects.create(kind="rank", project_id=scene.project.pk, state=JobState.RUNNING)
    assert "is being put in order" in picture(scene.project).empty
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    assert "could not be put in order" in picture(scene.project).empty
    Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED)
    make = Entry(ranking=scene.ranking, item=scene.items["functional"][0], band=ARRIVALS, position=0, free=2)
    make.save(force_insert=True)
    assert "not in the new model's order yet" in picture(scene.project).empty
