"""What one answer settled, because the machine agreed, is evidence of nothing that the machine says."""

from __future__ import annotations

from uuid import uuid4

import pytest

from labeling.catalog.models import Item
from labeling.frontier.auditing import open_audits
from labeling.frontier.compute.certifying import _decided_share
from labeling.frontier.deciding import decide
from labeling.frontier.drawing import draw_for_band
from labeling.frontier.models import AutomaticDecision, CertificationRun
from labeling.frontier.one_answer import one_answer
from labeling.frontier.selectors import decided_alone, shadow_agreement
from labeling.frontier.services import request_certification
from labeling.queue import priority
from labeling.truth.models import Annotation, GroundTruth
from labeling.truth.services import Answer, Viewing, record_answer, settle_by_answer
from tests.frontier.proving import KEYS, Pool, certified_pool, make_pool

pytestmark = pytest.mark.django_db


def say(pool: Pool, item: Item, *, by: int = 0, key: str | None = None) -> Annotation:
    return record_answer(
        project=pool.project,
        labeler=pool.labelers[by],
        key=uuid4(),
        answer=Answer("class", key or pool.predicted[item.pk]),
        viewing=Viewing(item.pk, 1, "rank", {}),
    )


def assist(pool: Pool, items: list[Item]) -> None:
    """One person answers each of them as the champion predicts."""
    for item in items:
        settle_by_answer(project=pool.project, annotation=say(pool, item))


def look(pool: Pool) -> CertificationRun:
    request_certification(project=pool.project, by=pool.admin)
    pool.work()
    return CertificationRun.objects.filter(project=pool.project).latest("pk")


def test_a_photo_that_is_drawn_gets_its_second_person_and_only_then_a_word_that_certifies() -> None:
    pool = make_pool()
    pool.policy(precision=0.9, planned_labels=160)
    look(pool)
    following = list(Item.objects.filter(project=pool.project).order_by("random_key")[:3])
    assist(pool, following)
    assert priority.draw_for_audit(project=pool.project, count=3) == 3
    assert not GroundTruth.objects.current().filter(project=pool.project).exists()
    assert {item.pk for item in following} <= pool.waiting()
    assert look(pool).item_ids == []
    for item in following:
        say(pool, item, by=1)
    assert sorted(look(pool).item_ids) == sorted(item.pk for item in following)


def test_a_photo_that_is_drawn_for_a_band_gets_its_second_person_too() -> None:
    pool = make_pool()
    pool.policy(precision=0.9, planned_labels=160)
    look(pool)
    assist(pool, pool.items[-6:])
    key = KEYS[0]
    region = [item for item in pool.items if pool.predicted[item.pk] == key]
    drawn = draw_for_band(project=pool.project, by=pool.admin, class_key=key, count=len(region))
    left = GroundTruth.objects.assisted().filter(project=pool.project).values("item")
    assert drawn and not Item.objects.filter(pk__in=left, drawn_for_band__isnull=False).exists()
    assert GroundTruth.objects.filter(project=pool.project, kind="withdrawn").exists()


def test_what_an_answer_is_worth_counts_it_once_it_is_strict() -> None:
    pool = make_pool()
    items = list(Item.objects.filter(project=pool.project).order_by("random_key")[:2])
    assist(pool, items)
    priority.draw_for_audit(project=pool.project, count=2)
    assert one_answer(pool.project, pool.model).alone.whole == 0
    for item in items:
        say(pool, item, by=1)
    found = one_answer(pool.project, pool.model)
    assert (found.alone.whole, found.agreeing.whole) == (2, 2)


def test_shadow_decisions_are_not_held_against_it_nor_shown_beside_it() -> None:
    pool = certified_pool()
    pool.policy(mode="shadow", audit_share=0.0)
    pool.work()
    decide(project=pool.project)
    shadow = list(AutomaticDecision.objects.filter(project=pool.project, mode="shadow").order_by("pk")[:4])
    items = [each.item for each in shadow]
    assist(pool, items[:2])
    agreed = shadow_agreement(pool.project)
    assert agreed is not None and agreed.whole == 0
    told = AutomaticDecision.objects.filter(project=pool.project).told()
    assert not told.filter(item__in=items).exists(), "whoever answers second must not read it"
    pool.settle(items[2])
    agreed = shadow_agreement(pool.project)
    assert agreed is not None and agreed.whole == 1
    assert told.filter(item=items[2]).exists()


def test_the_share_of_holds_is_that_of_strict_labels() -> None:
    pool = make_pool()
    pool.settle(pool.items[0])
    pool.settle(pool.items[1], kind="hold")
    assist(pool, pool.items[2:6])
    assert _decided_share(pool.project) == 0.5


def test_an_audited_decision_stays_open_until_it_is_settled_strictly() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=1.0)
    pool.work()
    pool.new_photos(3)
    decide(project=pool.project)
    audited = AutomaticDecision.objects.filter(project=pool.project, audit=True).first()
    assert audited is not None
    before = sum(len(ids) for ids in open_audits(pool.project).values())
    assist(pool, [audited.item])
    assert sum(len(ids) for ids in open_audits(pool.project).values()) == before
    say(pool, audited.item, by=1)
    assert sum(len(ids) for ids in open_audits(pool.project).values()) == before - 1


def test_the_machine_decides_no_photo_that_it_settled() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.0)
    pool.work()
    fresh = pool.new_photos(2)
    assist(pool, fresh[:1])
    decide(project=pool.project)
    decided = set(AutomaticDecision.objects.filter(project=pool.project).values_list("item_id", flat=True))
    assert fresh[0].pk not in decided and fresh[1].pk in decided
    assert decided_alone(pool.project) == len(decided)
