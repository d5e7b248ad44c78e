"""Near-duplicates are kept on one side: what trained a version never has one among what judges it; gold trains nothing."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.cache import cache

from inference.heads.folds import stratified_folds
from labeling.catalog.models import Item
from labeling.catalog.selectors import current_guideline
from labeling.frontier.compute.certifying import plan_for
from labeling.frontier.compute.sample import draws
from labeling.frontier.drawing import draw_for_band
from labeling.frontier.models import AuditWatch, AutomaticDecision, CertificationPlan
from labeling.frontier.policy import policy_of
from labeling.frontier.requests import request_certification
from labeling.learning.compute.comparison import _items_of_snapshot
from labeling.learning.training_set import training_set
from labeling.queue.models import Ranking
from labeling.queue.placing import audited_by_band, ladders_of
from labeling.truth import services as truth
from tests.factories import place_order
from tests.frontier.proving import Pool, make_pool

pytestmark = pytest.mark.django_db


def alike(*items: Item) -> None:
    Item.objects.filter(pk__in=[item.pk for item in items]).update(twins_of=items[0].pk)


def plan_of(pool: Pool) -> CertificationPlan:
    return plan_for(pool.project, pool.model, current_guideline(pool.project), policy_of(pool.project))


def test_what_certifies_has_no_near_duplicate_in_the_snapshot() -> None:
    pool = make_pool(40)
    learned, apart = pool.items[0], pool.items[1]
    pool.model = pool.train([pool.settle(learned), pool.settle(apart)])
    alike(learned, pool.items[2], pool.items[3])
    alike(pool.items[4], pool.items[5])  # both on one side already
    plan = plan_of(pool)
    learned_from = {item.pk for item in pool.items[:4]}
    everything = {item.pk for item in pool.items}
    assert set(plan.cohort.item_ids) == everything - learned_from
    for item in pool.draw(len(pool.items)):
        if item.pk not in {learned.pk, apart.pk}:
            pool.settle(item)
    assert {label.item_id for label in draws(plan).labels} == everything - learned_from


def test_what_is_asked_for_a_band_has_no_near_duplicate_in_the_snapshot() -> None:
    pool = make_pool()
    pool.policy(precision=0.7, planned_labels=100)
    pool.model = pool.train([pool.settle(pool.items[0])])
    left = [item for item in pool.items if pool.predicted[item.pk] == "functional"]
    Item.objects.filter(pk__in=[pool.items[0].pk, *(item.pk for item in left[:100])]).update(
        twins_of=pool.items[0].pk
    )
    pool.settle_all(pool.wrong_below(0.6, [item for item in pool.draw(100) if item.pk != pool.items[0].pk]))
    request_certification(project=pool.project, by=pool.admin)
    pool.work()
    drawn = draw_for_band(project=pool.project, by=pool.admin, class_key="functional", count=500)
    asked = Item.objects.filter(project=pool.project, drawn_for_band__isnull=False)
    assert drawn == asked.count() > 0
    assert not asked.filter(twins_of=pool.items[0].pk).exists()


def test_the_audit_of_bands_leaves_out_near_duplicates_of_what_trained() -> None:
    pool = make_pool(40)
    learned = pool.items[0]
    pool.model = pool.train([pool.settle(learned)])
    fresh = [item for item in pool.draw(10) if item.pk != learned.pk]
    for item in fresh:
        pool.settle(item)

    order = Ranking.objects.create(
        project=pool.project,
        number=99,
        strategy="inward",
        model_version=pool.model,
        summary={str(each.pk): {"0": [0.0, 1.0, 20]} for each in pool.classes.values()},
    )
    place_order(order)

    def counted() -> int:
        ladders = ladders_of(order)
        return sum(n for n, _wrong in audited_by_band(order, pool.model, ladders).values())

    before = counted()
    alike(learned, fresh[0])
    cache.clear()  # what is joined later is seen some minutes later
    assert counted() == before - 1


def test_a_near_duplicate_of_a_gold_question_trains_nothing() -> None:
    pool = make_pool(40)
    for item in pool.items[:4]:
        pool.settle(item)
    truth.add_gold(project=pool.project, item=pool.items[10], class_key="functional", by=pool.admin)
    alike(pool.items[0], pool.items[10])
    trains = {example.item_id for example in training_set(pool.project).examples}
    assert trains == {item.pk for item in pool.items[1:4]}


def test_folds_never_part_near_duplicates() -> None:
    pool = make_pool(40)
    for item in pool.items[:20]:
        pool.settle(item)
    assert training_set(pool.project).groups is None  # nothing is folded otherwise where there are none
    alike(pool.items[0], pool.items[2], pool.items[4])
    learned = training_set(pool.project)
    fold = stratified_folds(np.asarray(learned.columns), 5, 0, learned.groups)
    group = np.asarray(learned.groups)
    for name in set(group):
        assert len(set(fold[group == name])) == 1


def test_the_champion_is_not_judged_on_near_duplicates_of_what_it_learned_from() -> None:
    pool = make_pool(40)
    model = pool.train([pool.settle(pool.items[0])])
    alike(pool.items[0], pool.items[1])
    assert set(_items_of_snapshot(model)) == {pool.items[0].pk, pool.items[1].pk}


def test_an_audited_decision_is_no_witness_where_its_near_duplicate_trained_the_version() -> None:
    pool = make_pool()
    learned = pool.items[0]
    pool.model = pool.train([pool.settle(learned)])
    pool.policy(precision=0.9, planned_labels=160)
    pool.settle_all(pool.wrong_below(0.2, [item for item in pool.draw(200) if item.pk != learned.pk]))
    request_certification(project=pool.project, by=pool.admin)
    pool.work()
    pool.policy(mode="on", audit_share=0.3)
    pool.work()
    audited = [each.item for each in AutomaticDecision.objects.filter(project=pool.project, audit=True)]
    for item in audited[3:]:
        pool.settle(item)
    alike(learned, audited[0], audited[1])
    alike(audited[2], audited[3])  # both were decided: neither tells the version about the other
    pool.settle(audited[0], "defective")
    pool.settle(audited[2])
    pool.work()
    watched = AuditWatch.objects.filter(project=pool.project)
    assert sum(watch.n for watch in watched) == len(audited) - 2
    assert sum(watch.errors + watch.waiting for watch in watched) == 0
