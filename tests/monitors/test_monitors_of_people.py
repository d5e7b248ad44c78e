"""Agreement, speed, the queue, calibration and the audit: an alert where something is wrong, none where nothing is."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.catalog.models import Item
from labeling.catalog.selectors import current_guideline
from labeling.frontier.services import decide
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.monitors.models import MonitorAlert, MonitorReading
from labeling.monitors.services import at_work, request_monitoring
from labeling.monitors.tasks import monitor_projects_at_work
from labeling.queue.services import remove_several
from labeling.truth.models import Annotation, Dispute, GroundTruth
from tests.factories import make_items, make_member, make_project
from tests.frontier.proving import KEYS, Pool, certified_pool, make_pool

pytestmark = pytest.mark.django_db


def look(pool: Pool) -> dict[str, MonitorReading]:
    """The newest readings after a look, by monitor."""
    job = request_monitoring(project=pool.project, by=pool.admin)
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED, f"{job.error}\n{job.trace}"
    newest: dict[str, MonitorReading] = {}
    for reading in MonitorReading.objects.filter(project=pool.project):
        newest.setdefault(reading.monitor, reading)
    return newest


def answered(
    pool: Pool,
    item: Item,
    keys: tuple[str, str],
    *,
    view_ms: int = 2000,
    draw: str = "rank",
    context: dict[str, int] | None = None,
) -> None:
    """Two people's answers, and what follows from them."""
    for person, key in zip(pool.labelers, keys, strict=True):
        Annotation.objects.create(
            project=pool.project,
            item=item,
            labeler=person,
            key=uuid.uuid4(),
            kind="class",
            label_class=pool.classes[key],
            guideline=current_guideline(pool.project),
            draw=draw,
            context=context or {},
            view_ms=view_ms,
        )
    if keys[0] == keys[1]:
        pool.settle(item, keys[0])
    else:
        Dispute.objects.create(project=pool.project, item=item, round=1, cause="disagreement")


def open_alerts(pool: Pool) -> set[str]:
    return set(MonitorAlert.objects.open().filter(project=pool.project).values_list("monitor", flat=True))


def test_people_who_begin_to_differ_alert_and_the_photos_they_differ_on_are_named() -> None:
    pool = make_pool(240)
    for item in pool.items[:100]:
        answered(pool, item, (KEYS[0], KEYS[0]))
    first = look(pool)["agreement"]
    assert (first.state, first.value) == ("ok", 1.0)
    split = pool.items[100:160]
    for item in split:
        answered(pool, item, KEYS)
    now = look(pool)["agreement"]
    assert now.state == "alert" and now.value == 0.4
    assert now.low is not None and now.high is not None and now.low < 0.4 < now.high < 0.7
    assert now.item_ids == [item.pk for item in split[::-1][:12]]
    assert "agreement" in open_alerts(pool)
    for item in pool.items[160:240]:
        answered(pool, item, (KEYS[1], KEYS[1]))
    assert look(pool)["agreement"].state == "ok"
    assert "agreement" not in open_alerts(pool)


def test_gold_and_photos_that_wait_for_a_second_answer_are_no_agreement() -> None:
    pool = make_pool(60)
    for item in pool.items[:30]:
        answered(pool, item, KEYS, draw="gold")
    for item in pool.items[30:]:
        Annotation.objects.create(
            project=pool.project,
            item=item,
            labeler=pool.labelers[0],
            key=uuid.uuid4(),
            kind="class",
            label_class=pool.classes[KEYS[0]],
            guideline=current_guideline(pool.project),
            draw="rank",
            view_ms=900,
        )
    reading = look(pool)["agreement"]
    assert (reading.state, reading.figures["photos"]) == ("not_enough", 0)


@pytest.mark.parametrize(("view_ms", "state"), [(300, "alert"), (9000, "alert"), (2400, "ok")])
def test_answers_that_are_much_faster_or_slower_than_before_alert(view_ms: int, state: str) -> None:
    pool = make_pool(140)
    for item in pool.items[:80]:
        answered(pool, item, (KEYS[0], KEYS[0]), view_ms=2000)
    for item in pool.items[80:130]:
        answered(pool, item, (KEYS[0], KEYS[0]), view_ms=view_ms)
    reading = look(pool)["speed"]
    assert (reading.state, reading.value) == (state, view_ms / 1000)
    assert reading.figures["before"] == 2.0


def test_a_photo_that_nobody_looks_at_for_weeks_alerts_until_it_is_settled() -> None:
    pool = make_pool(30)
    settled, old = pool.items[:2]
    assert look(pool)["queue"].state == "ok"
    for item, days in ((settled, 90), (old, 45)):
        Item.objects.filter(pk=item.pk).update(added_at=timezone.now() - timedelta(days=days))
    pool.settle(settled)  # it waits for nobody any more
    reading = look(pool)["queue"]
    assert reading.state == "alert" and reading.value == pytest.approx(45, abs=0.01)
    assert reading.item_ids[0] == old.pk
    assert (reading.figures["arrived"], reading.figures["settled"]) == (28, 1)
    assert open_alerts(pool) == {"queue"}
    pool.settle(old)
    assert look(pool)["queue"].state == "ok"
    assert not open_alerts(pool)


def test_a_photo_in_review_still_waits_for_a_person() -> None:
    pool = make_pool(4)
    for item in pool.items[1:]:
        pool.settle(item)
    answered(pool, pool.items[0], KEYS)
    remove_several(project=pool.project, item_ids=[pool.items[0].pk])
    assert look(pool)["queue"].item_ids == [pool.items[0].pk]


def test_a_model_that_states_more_than_it_keeps_alerts_with_its_surest_errors() -> None:
    pool = make_pool(400)
    dice = random.Random(3)
    drawn = pool.draw(200)
    said = []
    for item in drawn:
        stated = (1 + pool.margin[item.pk]) / 2
        right = dice.random() < stated - 0.25  # right a quarter less often than it states
        said.append((item, None if right else KEYS[pool.predicted[item.pk] == KEYS[0]]))
    pool.settle_all(said)
    reading = look(pool)["calibration"]
    assert reading.state == "alert"
    assert reading.value is not None and 0.15 < reading.value < 0.35
    assert reading.figures["stated"] - reading.figures["right"] > 0.15
    truths = {item.pk: item for item in drawn}
    wrong = [truths[pk].ground_truths.get().label_class.key != pool.predicted[pk] for pk in reading.item_ids]
    assert len(wrong) == 12 and all(wrong)
    margins = [pool.margin[pk] for pk in reading.item_ids]
    assert margins == sorted(margins, reverse=True)


def test_a_model_that_keeps_what_it_states_does_not_alert() -> None:
    pool = make_pool(400)
    dice = random.Random(4)
    said = []
    for item in pool.draw(200):
        right = dice.random() < (1 + pool.margin[item.pk]) / 2
        said.append((item, None if right else KEYS[pool.predicted[item.pk] == KEYS[0]]))
    pool.settle_all(said)
    assert look(pool)["calibration"].state == "ok"
    assert "calibration" not in open_alerts(pool)


def test_labels_that_were_drawn_before_the_model_or_trained_it_do_not_judge_its_calibration() -> None:
    pool = make_pool(200)
    truths = pool.settle_all((item, None) for item in pool.draw(80))
    pool.train(truths[:40])
    assert look(pool)["calibration"].figures["n"] == 0


def test_near_duplicates_of_what_trained_a_model_do_not_judge_its_calibration() -> None:
    pool = make_pool(200)
    learned = pool.items[0]
    pool.train([pool.settle(learned)])
    drawn = [item for item in pool.draw(80) if item.pk != learned.pk]
    pool.settle_all((item, None) for item in drawn)
    Item.objects.filter(pk__in=[learned.pk, *(item.pk for item in drawn[:9])]).update(twins_of=learned.pk)
    Item.objects.filter(pk__in=[item.pk for item in drawn[9:12]]).update(twins_of=drawn[9].pk)
    assert look(pool)["calibration"].figures["n"] == len(drawn) - 9


def test_a_refuted_audit_alerts_and_names_the_wrong_decisions() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.0)
    pool.work()
    assert look(pool)["audit"].state == "not_enough"
    pool.policy(audit_share=1.0)
    stream = pool.new_photos(40)
    decide(project=pool.project)
    for item in stream:
        pool.settle(item, "defective")
    pool.work()
    # The watch that suspended the certificate asked for this look.
    job = Job.objects.of_project(pool.project.pk).get(kind="monitor", state=JobState.QUEUED)
    runner.run(job.pk)
    reading = MonitorReading.objects.filter(project=pool.project, monitor="audit")[:1].get()
    assert (reading.state, reading.threshold, reading.value) == ("alert", 0.9, 0.0)
    assert reading.item_ids and set(reading.item_ids) <= {item.pk for item in stream}


def test_what_one_answer_settled_judges_no_model() -> None:
    pool = make_pool(200)
    drawn = pool.draw(80)
    truths = pool.settle_all((item, None) for item in drawn)
    assert look(pool)["calibration"].figures["n"] == 80
    for truth in truths[:30]:
        GroundTruth.objects.create(
            project=pool.project,
            item_id=truth.item_id,
            kind="class",
            label_class=truth.label_class,
            origin="assisted",
            guideline=truth.guideline,
            supersedes=truth,
        )
    pool.settle_all((item, None) for item in pool.draw(1))  # something new to look at
    assert look(pool)["calibration"].figures["n"] == 51


def test_pairs_that_the_first_answer_brought_about_say_nothing_of_agreement() -> None:
    """Offered to one person first, a photo gets a second answer where the first was not what the machine says."""
    pool = make_pool(60)
    for item in pool.items[:30]:
        answered(pool, item, (KEYS[0], KEYS[0]))
    for item in pool.items[30:]:
        answered(pool, item, KEYS, context={"wanted": 1})
    reading = look(pool)["agreement"]
    assert (reading.state, reading.figures["photos"], reading.value) == ("ok", 30, 1.0)


def test_a_look_comes_after_fifty_answers_and_not_at_the_next_full_hour() -> None:
    project = make_project()
    make_items(make_project(), 3)
    Item.objects.update(added_at=timezone.now() - timedelta(days=1))
    items, labeler = make_items(project, 50), make_member(project)
    guideline = current_guideline(project)
    Job.objects.create(
        kind="monitor", project_id=project.pk, state="succeeded", finished_at=timezone.now(), result={}
    )

    def answer(some: list[Item]) -> None:
        Annotation.objects.bulk_create(
            Annotation(project=project, item=item, labeler=labeler, key=uuid.uuid4(), kind="hold", reason="other",
                       guideline=guideline, draw="rank", view_ms=900)
            for item in some
        )  # fmt: skip

    def waiting() -> list[int]:
        return list(Job.objects.live().filter(kind="monitor").values_list("project_id", flat=True))

    answer(items[:49])
    monitor_projects_at_work(0)
    assert waiting() == []
    answer(items[49:])
    monitor_projects_at_work(0)
    assert waiting() == [project.pk]
    assert at_work() == {project.pk}, "the other has nothing new, and costs nothing"
