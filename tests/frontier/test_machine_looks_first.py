"""While the machine decides, what comes in is offered to people only when the machine has looked at it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from labeling.catalog.events import items_added
from labeling.catalog.models import Item, Project
from labeling.frontier.events import left_to_people
from labeling.frontier.services import in_force, request_deciding, suspend
from labeling.queue.models import Ranking
from labeling.queue.ranking import swap_in
from tests.factories import make_items
from tests.frontier.proving import Pool, certified_pool
from tests.queue.conftest import rank_by_hand

pytestmark = pytest.mark.django_db


def arrives(pool: Pool) -> Item:
    """A photo of which the machine is unsure, as intake tells of it; it has no score yet."""
    (item,) = make_items(pool.project, 1)
    pool.predicted[item.pk], pool.margin[item.pk] = "functional", 0.0
    items_added.send(sender=Item, project=pool.project, item_ids=[item.pk])
    return item


def is_scored(pool: Pool, item: Item) -> None:
    """As by the next order, without the backbone that one takes."""
    pool._score(item, pool.model).save()
    before = Ranking.objects.get(project=pool.project, current=True)
    order = rank_by_hand(pool.project, [item])
    Ranking.objects.filter(pk=order.pk).update(current=False)
    Ranking.objects.filter(pk=before.pk).update(current=True)
    swap_in(ranking=order, read_at=timezone.now())


def test_an_arrival_waits_for_the_machine_and_is_then_left_to_people() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.0)
    pool.work()
    told: list[int] = []

    def hear(*, item_ids: list[int], **_: Any) -> None:
        told.extend(item_ids)

    left_to_people.connect(hear)
    try:
        item = arrives(pool)
        request_deciding(project=pool.project)
        pool.work()
        assert not told and item.pk not in pool.offered(), "the machine has not seen it"
        is_scored(pool, item)
        assert item.pk not in pool.offered(), "nor decided what to do with it"
        (job,) = pool.work()
        assert told == [item.pk] and item.pk in pool.offered()
        assert job.result["waiting"]["outside"] >= 1
    finally:
        left_to_people.disconnect(hear)


def test_where_the_machine_decides_nothing_any_more_people_are_asked() -> None:
    pool = certified_pool()
    item = arrives(pool)
    assert item.pk in pool.offered(), "it is not switched on"
    pool.policy(mode="on", audit_share=0.0)
    pool.work()
    item = arrives(pool)
    assert item.pk not in pool.offered()
    for certificate in in_force(pool.project):
        suspend(certificate=certificate, by=pool.admin, note="In doubt")
    is_scored(pool, item)
    assert item.pk in pool.offered()


def test_where_the_machine_fails_people_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.0)
    pool.work()
    item = arrives(pool)
    is_scored(pool, item)

    def damaged(_project: Project) -> None:
        raise OSError("the vectors cannot be read")

    monkeypatch.setattr("labeling.frontier.tasks.check_arrivals", damaged)
    request_deciding(project=pool.project)
    with pytest.raises(AssertionError, match="cannot be read"):
        pool.work()
    assert item.pk in pool.offered()
