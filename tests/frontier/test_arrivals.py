"""Photos that arrive are decided under an older plan's certificate only while nothing tells them apart from its pool."""

from __future__ import annotations

import random

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Item
from labeling.catalog.selectors import activity
from labeling.frontier.certificates import in_force
from labeling.frontier.models import ArrivalCheck, AutomaticDecision, Certificate, CertificationPlan
from labeling.frontier.proofs import Proofs
from labeling.frontier.services import decide, decide_one, request_certification, request_deciding
from labeling.overview.diary import sentence
from labeling.queue.services import append_arrivals
from tests.factories import make_items
from tests.frontier.proving import KEYS, Pool, certified_pool

pytestmark = pytest.mark.django_db


def arrive(pool: Pool, count: int, *, easy: bool, seed: int = 7) -> list[Item]:
    """As the pool was, or all of one class and sure."""
    dice = random.Random(seed)
    items = make_items(pool.project, count, seed=seed)
    pool.items += items
    for index, item in enumerate(items):
        pool.predicted[item.pk] = KEYS[0] if easy else KEYS[index % 2]
        pool.margin[item.pk] = dice.uniform(0.97, 1.0) if easy else dice.random()
    type(pool._score(items[0], pool.model)).objects.bulk_create(
        [pool._score(item, pool.model) for item in items]
    )
    append_arrivals(project=pool.project, item_ids=[item.pk for item in items])
    return items


def on(pool: Pool) -> None:
    pool.policy(mode="on", audit_share=0.0)
    pool.work()


def decided(items: list[Item]) -> int:
    return AutomaticDecision.objects.filter(item__in=items).count()


def test_a_batch_as_the_pool_was_is_decided_once_it_was_looked_at() -> None:
    pool = certified_pool()
    on(pool)
    batch = arrive(pool, 120, easy=False)
    decide(project=pool.project)
    assert decided(batch) == 0, "not before anybody has looked"
    request_deciding(project=pool.project)
    pool.work()
    check = ArrivalCheck.objects.get()
    assert (check.usual, check.photos, check.first, check.last) == (True, 120, batch[0].pk, batch[-1].pk)
    assert decided(batch) > 50


def test_a_batch_that_differs_is_left_to_people_and_said() -> None:
    pool = certified_pool()
    on(pool)
    batch = arrive(pool, 120, easy=True)
    request_deciding(project=pool.project)
    pool.work()
    assert not ArrivalCheck.objects.get().usual
    assert decided(batch) == 0
    assert decide_one(project=pool.project, item_id=batch[0].pk).by == "queue"
    assert decide_one(project=pool.project, item_id=batch[0].pk).reason == "unlike_the_pool"
    entry = activity(pool.project, limit=1)[0]
    assert (entry.kind, entry.data["photos"]) == ("arrivals_unusual", 120)
    assert "120 photos" in sentence(entry)
    client = Client()
    client.force_login(pool.admin)
    page = " ".join(client.get(reverse("frontier", args=[pool.project.slug])).content.decode().split())
    assert "120 photos that came in since differ from the pool" in page
    # The next that come as the pool was are decided again.
    usual = arrive(pool, 120, easy=False, seed=8)
    request_deciding(project=pool.project)
    pool.work()
    assert decided(usual) > 50 and decided(batch) == 0


def test_a_few_photos_are_decided_at_once_and_looked_at_together_later() -> None:
    pool = certified_pool()
    on(pool)
    first = arrive(pool, 20, easy=True)
    assert decide(project=pool.project)["decided"] == 20
    more = arrive(pool, 40, easy=True, seed=8)
    request_deciding(project=pool.project)
    pool.work()
    assert not ArrivalCheck.objects.get().usual, "of sixty, those that were decided included"
    assert (decided(first), decided(more)) == (20, 0)
    few = arrive(pool, 5, easy=False, seed=9)
    assert decide_one(project=pool.project, item_id=few[0].pk).reason == "not_looked_at", "until enough came"


def test_arrivals_in_mid_walk_do_not_certify_and_join_the_next_plan() -> None:
    pool = certified_pool()
    plan = CertificationPlan.objects.get()
    batch = arrive(pool, 300, easy=True)
    drawn = pool.draw(150)
    assert {item.pk for item in drawn} & {item.pk for item in batch}
    pool.settle_all((item, None) for item in drawn)
    request_certification(project=pool.project, by=pool.admin)
    pool.work()
    newest = plan.runs.first()
    assert newest is not None and not set(newest.item_ids) & {item.pk for item in batch}
    for certificate in Certificate.objects.in_force():
        assert certificate.photos is not None and certificate.photos <= 200
    pool.train([])
    pool.work()
    later = CertificationPlan.objects.latest("pk")
    assert set(later.cohort.item_ids) & {item.pk for item in batch}


def test_a_classifier_that_may_have_memorised_the_pool_decides_the_pool_and_nothing_that_came_later() -> None:
    pool = certified_pool(backbone="onnx:elsewhere")
    on(pool)
    assert decided(pool.items) > 50, "of the photos that it was proven on"
    # Nothing tells them apart: it is as sure of them as of the pool, and may be right of no more than half.
    few, batch = arrive(pool, 20, easy=False), arrive(pool, 120, easy=False, seed=8)
    request_deciding(project=pool.project)
    pool.work()
    assert decided(few + batch) == 0 and not ArrivalCheck.objects.exists()
    sure = max(batch, key=lambda item: pool.margin[item.pk])
    assert decide_one(project=pool.project, item_id=sure.pk).reason == "only_the_pool"
    class_id = in_force(pool.project)[0].label_class_id
    proofs = Proofs(pool.project, pool.model.pk, [sure.pk, pool.items[0].pk])
    assert proofs.of(class_id, 1.0).reason == proofs.of(class_id, 1.0, sure.pk).reason == "only_the_pool"
    assert proofs.of(class_id, 1.0, pool.items[0].pk).certified
    client = Client()
    client.force_login(pool.admin)
    page = client.get(reverse("frontier", args=[pool.project.slug])).content.decode()
    assert "may have learned elsewhere" in page
    # The next plan takes them in.
    pool.policy(precision=0.92)
    pool.work()
    plan = CertificationPlan.objects.latest("pk")
    assert {item.pk for item in batch} <= set(plan.cohort.item_ids)
