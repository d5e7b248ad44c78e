"""How many decisions are audited, what an open audit means for the watch, and when the machine waits for people."""

from __future__ import annotations

import pytest
from django.db import connection

from labeling.catalog.models import Activity
from labeling.frontier import auditing
from labeling.frontier.auditing import GO_ON_AT, MOST_WAITING, open_audits
from labeling.frontier.models import AuditWatch, AutomaticDecision, Certificate, DecidingPause
from labeling.frontier.policy import FIRST_SHARE
from labeling.frontier.services import (
    audit_closely,
    decide,
    decide_one,
    in_force,
    overrule,
    request_watching,
)
from labeling.monitors.models import Monitor, ReadingState
from labeling.monitors.reading import Reading
from labeling.monitors.services import record
from labeling.queue import pace, priority
from labeling.queue.models import BandOpening, Entry
from labeling.queue.services import claim
from labeling.truth.models import GroundTruth, Origin
from tests.factories import make_member
from tests.frontier.proving import Pool, certified_pool
from tests.kept import made_once

pytestmark = pytest.mark.django_db


@made_once
def audited_pool(**settings: object) -> Pool:
    """Switched on, and each decision is audited."""
    pool = certified_pool(**settings)
    pool.policy(mode="on", audit_share=1.0)
    pool.work()
    return pool


def audits(pool: Pool, key: str = "functional") -> list[AutomaticDecision]:
    """In the order of the lot."""
    return list(
        AutomaticDecision.objects.filter(project=pool.project, label_class__key=key, audit=True)
        .select_related("item")
        .order_by("id")
    )


def decided(pool: Pool, key: str = "functional") -> int:
    return AutomaticDecision.objects.filter(project=pool.project, label_class__key=key).count()


def watch_of(pool: Pool, key: str = "functional") -> AuditWatch:
    return AuditWatch.objects.get(project=pool.project, label_class__key=key)


def certified_classes(pool: Pool) -> set[str]:
    return {each.label_class.key for each in in_force(pool.project)}


# -- open audits ---------------------------------------------------------------------------------------------------


def test_one_open_audit_does_not_blind_the_watch() -> None:
    pool = audited_pool()
    first, *others = audits(pool)
    for decision in others[:12]:
        pool.settle(decision.item, "defective")
    pool.work()
    assert certified_classes(pool) == {"defective"}
    watch = watch_of(pool)
    assert (watch.n, watch.errors, watch.waiting) == (12, 12, len(audits(pool)) - 12)
    # That the open one turns out to be right changes the figures; what was suspended stays so.
    pool.settle(first.item)
    pool.work()
    assert watch_of(pool).n == 13
    assert certified_classes(pool) == {"defective"}


def test_open_audits_alone_never_raise_an_alarm_and_leave_the_interval_open() -> None:
    pool = audited_pool()
    (decision, *_others) = audits(pool)
    pool.settle(decision.item, "defective")
    pool.work()
    watch = watch_of(pool)
    assert certified_classes(pool) == {"functional", "defective"}
    assert (watch.n, watch.errors) == (1, 1)
    assert (watch.low, watch.high) == (0.0, 1.0)


def test_an_answer_that_is_taken_back_counts_as_open_again() -> None:
    pool = audited_pool()
    decision = audits(pool)[3]
    pool.settle(decision.item, "defective")
    pool.work()
    assert (watch_of(pool).n, watch_of(pool).errors) == (1, 1)
    word = GroundTruth.objects.get(item=decision.item)
    GroundTruth.objects.create(
        project=pool.project,
        item=decision.item,
        kind="withdrawn",
        origin=Origin.UNDONE,
        draw=word.draw,
        guideline=word.guideline,
        supersedes=word,
    )
    request_watching(project=pool.project)
    pool.work()
    assert (watch_of(pool).n, watch_of(pool).errors) == (0, 0)


# -- the machine waits ---------------------------------------------------------------------------------------------


def test_deciding_pauses_when_too_many_audits_wait_and_goes_on_when_they_are_answered() -> None:
    pool = audited_pool()
    assert decided(pool) == decided(pool, "defective") == MOST_WAITING
    assert decide(project=pool.project) == {"decided": 0, "audited": 0}
    (sure,) = pool.new_photos(1)
    assert decide_one(project=pool.project, item_id=sure.pk).reason == "audits_wait"
    waiting = audits(pool)
    for decision in waiting[: MOST_WAITING - GO_ON_AT - 1]:
        pool.settle(decision.item)
    pool.work()
    assert decided(pool) == MOST_WAITING
    pool.settle(waiting[MOST_WAITING - GO_ON_AT - 1].item)
    pool.work()
    # The other class still waits for its own.
    assert decided(pool) == MOST_WAITING + GO_ON_AT
    assert decided(pool, "defective") == MOST_WAITING
    told = Activity.objects.filter(project=pool.project, kind__startswith="deciding_").order_by("id")
    assert [(each.kind, each.data["class"]) for each in told[2:]] == [
        ("deciding_resumed", "functional"),
        ("deciding_paused", "functional"),
    ]


def test_what_is_decided_before_the_pause_is_all_up_to_the_last_audit_that_fits() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.5)
    with (
        connection.cursor() as cursor
    ):  # or once in a million times the lot draws too few, or the first twenty
        cursor.execute("SELECT setseed(0.5)")
    pool.work()
    by_lot = list(
        AutomaticDecision.objects.filter(label_class__key="functional")
        .order_by("id")
        .values_list("audit", flat=True)
    )
    assert sum(by_lot) == MOST_WAITING and by_lot[-1]
    assert len(by_lot) > MOST_WAITING


def test_an_audit_that_was_overruled_is_waited_for_no_more() -> None:
    pool = audited_pool()
    for decision in audits(pool)[: MOST_WAITING - GO_ON_AT]:
        overrule(decision=decision, by=pool.admin, reason="A crack")
    pool.work()
    assert decided(pool) == MOST_WAITING + GO_ON_AT


def test_nothing_waits_for_people_in_the_shadow() -> None:
    pool = certified_pool()
    pool.policy(mode="shadow", audit_share=1.0)
    pool.work()
    assert decided(pool) > MOST_WAITING
    assert not DecidingPause.objects.exists()


# -- audits first --------------------------------------------------------------------------------------------------


def test_audits_are_asked_before_all_else_whatever_the_lot_says() -> None:
    pool = audited_pool()
    wanted = {item for items in open_audits(pool.project).values() for item in items}
    assert len(wanted) == 2 * MOST_WAITING
    priority.draw_for_audit(project=pool.project, count=30)
    pool.project.audit_rate = 1.0
    pool.project.save()
    asked = claim(project=pool.project, labeler=pool.labelers[0], count=20)
    pool.project.audit_rate = 0.0
    pool.project.save()
    asked += claim(project=pool.project, labeler=make_member(pool.project), count=20)
    assert {slot.item_id for slot in asked} == wanted


def test_audits_stay_first_when_the_queue_moves_inward() -> None:
    pool = audited_pool(bands=3)
    wanted = {item for items in open_audits(pool.project).values() for item in items}
    pace.open_band(pool.project, 1, BandOpening.Cause.ADMIN, by=pool.admin, reason="a test")
    asked = claim(project=pool.project, labeler=pool.labelers[0], count=20)
    assert {slot.item_id for slot in asked} <= wanted


def test_the_second_answer_to_an_audit_is_asked_before_that_to_other_photos() -> None:
    pool = audited_pool()
    first, second = pool.labelers
    wanted = {item for items in open_audits(pool.project).values() for item in items}
    begun = [slot.item_id for slot in claim(project=pool.project, labeler=first, count=32)]
    Entry.objects.filter(item_id__in=begun[:4]).update(band=0, position=0)  # as photos that the ranking chose
    decision = audits(pool)[-1]
    pool.settle(decision.item)
    pool.work()
    asked = {slot.item_id for slot in claim(project=pool.project, labeler=second, count=1)}
    assert asked <= wanted


# -- another wish --------------------------------------------------------------------------------------------------


def certify_anew(pool: Pool, precision: float) -> None:
    """Another wish, and certificates as labels of its own plan would bring them."""
    before = Certificate.objects.filter(project=pool.project).order_by("id")
    rows, runs = list(before), {each.run for each in before}
    pool.policy(precision=precision)
    pool.work()
    for run in runs:
        mine = [each for each in rows if each.run_id == run.pk]
        run.pk = None
        run.save(force_insert=True)
        for each in mine:
            each.pk, each.run, each.precision = None, run, precision
            each.save(force_insert=True)


def test_a_wish_changed_by_a_hair_forgets_no_error() -> None:
    pool = audited_pool()
    for decision in audits(pool)[:3]:
        pool.settle(decision.item, "defective")
    pool.work()
    assert certified_classes(pool) == {"functional", "defective"}
    before = watch_of(pool)
    certify_anew(pool, 0.8999)
    again = Certificate.objects.filter(label_class__key="functional").latest("id")
    assert again.precision == 0.8999 and certified_classes(pool) == {"functional", "defective"}
    for decision in audits(pool)[3:8]:
        pool.settle(decision.item, "defective")
    pool.work()
    after = watch_of(pool)
    assert (after.pk, after.errors) == (before.pk, 8)
    assert "functional" not in certified_classes(pool)


def test_another_delta_or_rule_for_holds_starts_no_other_watch() -> None:
    pool = audited_pool()
    (first, second, *_others) = audits(pool)
    pool.settle(first.item, "defective")
    pool.settle(second.item, kind="hold")
    pool.work()
    assert (watch_of(pool).n, watch_of(pool).errors) == (2, 2)
    pool.policy(delta=0.06, undecided_are_errors=False)
    pool.settle(audits(pool)[2].item)
    pool.work()
    # What was decided while a hold was an error is still held to it.
    assert (watch_of(pool).n, watch_of(pool).errors) == (3, 2)
    assert watch_of(pool).state["alpha"] == pytest.approx(0.06 / 2)


# -- the share -----------------------------------------------------------------------------------------------------


def shares(pool: Pool) -> list[float]:
    return list(
        AutomaticDecision.objects.filter(label_class__key="functional")
        .order_by("id")
        .values_list("audit_share", flat=True)
    )


def test_the_first_decisions_under_a_certificate_are_audited_more_than_later_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(auditing, "FIRST_DECISIONS", 12)
    monkeypatch.setattr(auditing, "MOST_WAITING", 10_000)
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.01)
    pool.work()
    count = decided(pool)
    assert count > 30 and shares(pool) == [FIRST_SHARE] * 12 + [0.01] * (count - 12)
    # One at a time they count on from there.
    (one,) = pool.new_photos(1)
    decide_one(project=pool.project, item_id=one.pk)
    assert shares(pool)[-1] == 0.01
    # Another certificate (here by another wish) begins anew.
    certify_anew(pool, 0.89)
    pool.new_photos(14)
    decide(project=pool.project)
    assert shares(pool)[count + 1 :] == [FIRST_SHARE] * 12 + [0.01] * 2


def test_after_something_unusual_more_is_audited_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "FIRST_DECISIONS", 5)
    monkeypatch.setattr(auditing, "MOST_WAITING", 10_000)
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.01)
    pool.work()
    count = decided(pool)
    drifted = Reading(
        Monitor.EMBEDDINGS, ReadingState.ALERT, "10 photos", value=0.001, model_version=pool.model
    )
    record(project=pool.project, readings=[drifted])
    pool.new_photos(8)
    decide(project=pool.project)
    assert shares(pool)[count:] == [FIRST_SHARE] * 5 + [0.01] * 3


def test_a_share_above_the_first_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.3)
    pool.work()
    assert set(shares(pool)) == {0.3}


def test_what_is_not_on_is_not_audited_more_closely() -> None:
    pool = certified_pool()
    audit_closely(project=pool.project, reason="embeddings")
    assert not pool.project.closer_audits.exists()
