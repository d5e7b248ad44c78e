"""Alpha, observed agreement and Dawid-Skene, against examples worked out by hand."""

from __future__ import annotations

import uuid
from typing import Any

import pandas as pd
import pytest

from labeling.catalog.models import Item, LabelClass, Project
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import amend_guideline
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.people.models import User
from labeling.truth import tasks
from labeling.truth.estimates import Proportion
from labeling.truth.models import Annotation, Draw, GroundTruth, Origin, Pause, Retraction
from labeling.truth.quality.agreement import agreement
from labeling.truth.quality.dawid_skene import dawid_skene
from labeling.truth.quality.labelers import labeler_figures
from tests.factories import make_items, make_member, make_project

pytestmark = pytest.mark.django_db


def answer(
    project: Project,
    item: Item,
    labeler: User,
    said: str,
    *,
    round: int = 1,
    draw: str = Draw.RANK,
    **more: Any,
) -> Annotation:
    is_class = said not in {"hold", "unusable"}
    return Annotation.objects.create(
        project=project,
        item=item,
        round=round,
        labeler=labeler,
        key=uuid.uuid4(),
        kind="class" if is_class else said,
        label_class=LabelClass.objects.get(project=project, key=said) if is_class else None,
        reason="" if is_class else "other",
        guideline=current_guideline(project),
        draw=draw,
        view_ms=more.pop("view_ms", 1000),
        **more,
    )


def settle(project: Project, item: Item, said: str, origin: str = Origin.AGREEMENT) -> GroundTruth:
    return GroundTruth.objects.create(
        project=project,
        item=item,
        kind="class",
        label_class=LabelClass.objects.get(project=project, key=said),
        origin=origin,
        guideline=current_guideline(project),
    )


def answers(rows: list[tuple[int, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(
        [(item, 1, worker, label, False) for item, worker, label in rows],
        columns=["item", "round", "worker", "label", "once"],
    )


def test_alpha_equals_the_value_worked_out_by_hand() -> None:
    # Units {a,a} {b,b} {a,b}: coincidences o_aa = 2, o_bb = 2, o_ab = 1 each way; n_a = n_b = 3, n = 6.
    # D_o = 2/6, D_e = 2·3·3/(6·5) = 3/5, alpha = 1 − (1/3)/(3/5) = 4/9. The lone answer to photo 4 is no pair.
    frame = answers(
        [
            (1, "x", "a"),
            (1, "y", "a"),
            (2, "x", "b"),
            (2, "y", "b"),
            (3, "x", "a"),
            (3, "y", "b"),
            (4, "x", "b"),
        ]
    )
    alpha, n_items, n_answers = tasks.krippendorff(frame)
    assert alpha == pytest.approx(4 / 9)
    assert (n_items, n_answers) == (3, 6)


def test_alpha_is_undefined_when_everybody_always_says_the_same() -> None:
    assert tasks.krippendorff(answers([(1, "x", "a"), (1, "y", "a")]))[0] is None


def test_rounds_of_one_photo_are_separate_units() -> None:
    frame = pd.DataFrame(
        [(1, each, who, said, False) for each, who, said in zip((1, 1, 2, 2), "xyxy", "abbb", strict=True)],
        columns=["item", "round", "worker", "label", "once"],
    )
    assert tasks.krippendorff(frame)[1:] == (2, 4)


def test_observed_agreement_counts_pairs_holds_and_merged_classes_and_leaves_gold_and_undone_out() -> None:
    project = make_project(classes=("functional", "defective", "cracked"))
    a, b, c = (make_member(project) for _ in range(3))
    agreed, merged, held, triple, undone, gold = make_items(project, 6)
    for labeler in (a, b):
        answer(project, agreed, labeler, "functional", context={"band": 0})
        answer(project, gold, labeler, "functional", draw=Draw.GOLD)
    answer(project, merged, a, "defective", context={"band": 0})
    answer(project, merged, b, "cracked", context={"band": 0})
    answer(project, held, a, "functional", context={"band": 1})
    answer(project, held, b, "hold", context={"band": 1})
    for labeler, said in ((a, "defective"), (b, "defective"), (c, "functional")):
        answer(project, triple, labeler, said, context={"band": 1})
    answer(project, undone, a, "functional")
    taken_back = answer(project, undone, b, "defective")
    Retraction.objects.create(annotation=taken_back, by=b)

    before = agreement(project)
    assert before["n_items"] == 4
    assert before["observed"] == pytest.approx((1 + 0 + 0 + 1) / (1 + 1 + 1 + 3))
    assert before["unanimous"] == Proportion(1, 4)

    amend_guideline(
        project=project, by=project.created_by, note="A crack is a defect", merge={"cracked": "defective"}
    )
    after = agreement(project)
    assert after["observed"] == pytest.approx((1 + 1 + 0 + 1) / 6)
    assert [(band.band, band.n_items, band.unanimous.part) for band in after["bands"]] == [
        (0, 2, 2),
        (1, 2, 0),
    ]


def test_dawid_skene_trusts_the_careful_majority_over_one_who_always_says_the_same() -> None:
    rows = []
    for item in range(20):
        true = "a" if item % 2 else "b"
        rows += [(item, "x", true), (item, "y", true), (item, "lazy", "a")]
    found = tasks.dawid_skene(
        answers([(i, {"x": "1", "y": "2", "lazy": "3"}[w], v) for i, w, v in rows]), {0: "a", 1: "a"}
    )
    assert found["values"] == ["a", "b"]
    assert found["n_photos"] == 20
    assert [p["item"] for p in found["disagreeing"]] == [0]
    assert found["disagreeing"][0]["estimate"] == "b"
    by_labeler = {row["labeler"]: row for row in found["labelers"]}
    assert by_labeler[1]["accuracy"] == pytest.approx(1.0, abs=1e-3)
    assert by_labeler[3]["errors"]["b"] == pytest.approx([1.0, 0.0], abs=1e-3)
    assert by_labeler[3]["accuracy"] == pytest.approx(0.5, abs=0.01)


def test_estimates_name_no_photo_that_people_are_still_asked() -> None:
    """An admin who reads what the first answer was may be given the photo next, and is not blind to it then."""
    said = answers([(item, worker, "a" if item else "b") for item in range(6) for worker in ("1", "2", "3")])
    open_ones = {4, 5}
    found = tasks.dawid_skene(
        said, {item: "a" if item else "b" for item in range(6) if item not in open_ones}
    )
    listed = {each["item"] for each in [*found["unsure"], *found["disagreeing"]]}
    assert listed == set(range(6)) - open_ones


def test_the_estimates_job_stores_what_the_page_shows() -> None:
    project = make_project()
    a, b = make_member(project, username="ann"), make_member(project, username="ben")
    items = make_items(project, 3)
    for item, (one, other) in zip(
        items,
        (("functional", "functional"), ("defective", "defective"), ("functional", "defective")),
        strict=True,
    ):
        answer(project, item, a, one)
        answer(project, item, b, other)
    job = Job.objects.create(kind="estimates", project_id=project.pk)
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED, job.trace
    assert agreement(project)["alpha"] == pytest.approx(4 / 9)
    shown = dawid_skene(project)
    assert shown is not None
    assert shown.values == ["Defective", "Functional"]
    assert {c.labeler for c in shown.confusions} == {"ann", "ben"}


def test_the_estimates_job_says_what_to_do_when_there_is_no_answer() -> None:
    project = make_project()
    job = Job.objects.create(kind="estimates", project_id=project.pk)
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "Label some photos" in job.error


def test_labeler_figures_count_standing_answers_and_compare_them_with_what_was_settled() -> None:
    project = make_project(gold_window=3)
    ann, ben = make_member(project, username="ann"), make_member(project, username="ben")
    items = make_items(project, 5)
    shop = make_member(project, username="shop")
    answer(project, items[4], ann, "functional", view_ms=0)  # imported: nobody looked at it here
    answer(project, items[4], shop, "functional", view_ms=0)
    for item, said, ms in zip(
        items[:4], ("functional", "defective", "hold", "functional"), (1000, 2000, 4000, 9000), strict=True
    ):
        answer(project, item, ann, said, view_ms=ms)
    undone = answer(project, items[0], ben, "functional")
    Retraction.objects.create(annotation=undone, by=ben)
    settle(project, items[0], "functional")
    settle(project, items[1], "functional")
    settle(project, items[3], "functional", origin=Origin.GOLD)
    Pause.objects.create(project=project, labeler=ben, correct=1, asked=3, bar=0.8)

    figures = {row.user.username: row for row in labeler_figures(project)}
    assert (figures["ann"].answers, figures["ann"].today) == (5, 5)
    assert figures["ann"].seconds == pytest.approx(3.0)
    assert (figures["shop"].answers, figures["shop"].seconds) == (1, None)
    assert figures["ann"].holds == Proportion(1, 5)
    assert figures["ann"].agreed == Proportion(1, 2)
    assert figures["ben"].answers == 0
    assert figures["ben"].pause is not None
    assert next(iter(figures)) == "ben", "a paused labeler comes first"


def test_wilson_interval_of_a_known_example() -> None:
    share = Proportion(8, 10)
    assert [share.low, share.high] == pytest.approx([0.4902, 0.9433], abs=1e-4)
    assert Proportion(0, 0).share is None
    with pytest.raises(ValueError, match="no proportion"):
        Proportion(3, 2)
