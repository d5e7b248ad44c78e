"""How many ground truths lie in each band of an order: as it is written, as they come and go, and as orders change."""

from __future__ import annotations

from collections import Counter

import pgtrigger
import pytest
from django.db import connection

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.catalog.services import amend_guideline
from labeling.learning.models import Score
from labeling.queue import placing
from labeling.queue.models import Placement, Ranking
from labeling.queue.placing import EPSILON, truths_by_band
from labeling.truth.models import GroundTruth, Origin, Tally
from tests.factories import make_items, place_order
from tests.frontier.test_picture import Scene

pytestmark = pytest.mark.django_db


def recounted(project: Project, ranking: Ranking) -> Counter[tuple[int, int]]:
    """(ladder, band) -> settled photos, from the order's own words and the scores."""
    found = Counter[tuple[int, int]]()
    counts_as = class_resolution(project)
    for truth in GroundTruth.objects.current().filter(project=project).exclude(origin=Origin.GOLD):
        score = Score.objects.filter(model_version=ranking.model_version_id, item=truth.item_id).first()
        ladder = counts_as.get(score.predicted_id) if score else None
        if score is None or ladder is None or str(score.predicted_id) not in ranking.summary:
            continue
        said = ranking.summary[str(score.predicted_id)]
        lows = [said[str(band)][0] for band in range(ranking.bands) if str(band) in said]
        band = next((n for n, low in enumerate(lows) if score.confidence >= low - EPSILON), ranking.bands - 1)
        found[ladder, band] += 1
    return found


def check(project: Project, ranking: Ranking) -> Counter[tuple[int, int]]:
    found = Counter(dict(truths_by_band(project).settled))
    assert +found == recounted(project, ranking)
    assert placing.mend() == 0, "what is counted as it happens is what a recount says"
    return +found


def withdraw(truth: GroundTruth) -> None:
    GroundTruth.objects.create(
        project=truth.project, item=truth.item, kind="withdrawn", origin=Origin.RULING, supersedes=truth,
        guideline=truth.guideline,
    )  # fmt: skip


def test_each_ground_truth_that_comes_or_goes_changes_the_count_of_its_band() -> None:
    scene = Scene()
    outer, inner = scene.items["functional"][0], scene.items["defective"][8]
    first = scene.settle(outer, "functional")
    scene.settle(inner, "functional")
    ladder, other = scene.classes["functional"].pk, scene.classes["defective"].pk
    assert check(scene.project, scene.ranking) == {(ladder, 0): 1, (other, 2): 1}
    withdraw(first)
    assert check(scene.project, scene.ranking) == {(other, 2): 1}
    scene.settle(scene.items["functional"][1], "functional", Origin.GOLD)
    scene.settle(make_items(scene.project, 1, seed=9)[0], "functional")  # no score, no place
    assert check(scene.project, scene.ranking) == {(other, 2): 1}


def test_a_merged_class_takes_its_ladder_along_before_and_after_the_next_order() -> None:
    scene = Scene("passed", "washed", "dirty")
    for key in scene.items:
        scene.settle(scene.items[key][0], key)
    before = check(scene.project, scene.ranking)
    amend_guideline(
        project=scene.project, by=scene.project.created_by, note="One", merge={"washed": "passed"}
    )
    kept, gone = scene.classes["passed"].pk, scene.classes["washed"].pk
    assert check(scene.project, scene.ranking) == {
        (kept, 0): 2,
        (scene.classes["dirty"].pk, 0): before[scene.classes["dirty"].pk, 0],
    }
    placed = Placement.objects.filter(ranking=scene.ranking)
    ridge = placing.ladders_of(scene.ranking).ridge
    assert sum(ridge[kept]) == sum(sum(each.ridge) for each in placed.exclude(ladder=scene.classes["dirty"]))
    assert gone not in ridge


def test_the_night_puts_right_what_differs() -> None:
    scene = Scene()
    scene.settle(scene.items["functional"][0], "functional")
    Tally.objects.filter(what="placed").delete()
    assert placing.mend() == 1 and placing.mend() == 0
    assert check(scene.project, scene.ranking).total() == 1


def test_data_changed_by_hand_is_counted_right() -> None:
    scene = Scene()
    truth = scene.settle(scene.items["functional"][0], "functional")
    with pgtrigger.ignore("truth.GroundTruth:append_only"):
        GroundTruth.objects.filter(pk=truth.pk).update(kind="withdrawn", label_class=None)
    assert check(scene.project, scene.ranking).total() == 0


def test_ladders_bands_and_steps_begin_where_the_database_would_have_them() -> None:
    """``queue_place`` is how the releases before wrote them: in SQL, from the stored scores."""
    scene = Scene("passed", "washed", "dirty", "odd")
    amend_guideline(
        project=scene.project,
        by=scene.project.created_by,
        note="Fewer",
        merge={"washed": "passed"},
        retire=["odd"],
    )
    del scene.ranking.summary[str(scene.classes["passed"].pk)]["1"]  # a band that was empty
    scene.ranking.save()

    def placed() -> dict[int, tuple[int, list[float], list[float], list[int]]]:
        rows = Placement.objects.filter(ranking=scene.ranking)
        return {each.predicted_id: (each.ladder_id, each.lows, each.edges, each.ridge) for each in rows}

    Placement.objects.filter(ranking=scene.ranking).delete()
    place_order(scene.ranking)
    here = placed()
    Placement.objects.filter(ranking=scene.ranking).delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT queue_place(%s)", [scene.ranking.pk])
    assert here == placed() and set(here) == {scene.classes[key].pk for key in ("passed", "washed", "dirty")}
    assert sum(here[scene.classes["washed"].pk][3]) == len(scene.items["washed"])
