"""What comes in where a machine decides waits for it: no screen is lent such a photo before, unless it waits too long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.catalog.models import Item
from labeling.queue import machine_first, services
from labeling.queue.models import Entry
from tests.factories import make_items, make_member
from tests.queue.conftest import Setting, rank_by_hand

pytestmark = pytest.mark.django_db


def arrived(setting: Setting) -> Item:
    (item,) = make_items(setting.project, 1)
    services.append_arrivals(project=setting.project, item_ids=[item.pk])
    machine_first.leave(project=setting.project, item_ids=[item.pk])
    return item


def lent(setting: Setting) -> set[int]:
    """All that somebody gets who asks for everything."""
    slots = services.claim(project=setting.project, labeler=make_member(setting.project), count=100)
    return {slot.item_id for slot in slots}


def test_it_is_lent_to_nobody_until_the_machine_has_looked_at_it(setting: Setting) -> None:
    others, new = {item.pk for item in setting.items}, arrived(setting)
    assert lent(setting) == others
    assert machine_first.give_back(project=setting.project) == [], "it has no score to look at"
    order = rank_by_hand(setting.project, [*setting.items, new])
    ranked = Entry.objects.get(ranking=order, item=new).band
    machine_first.keep(setting.ranking, order)
    Entry.objects.filter(ranking=order).exclude(item=new).update(free=0)
    assert new.pk not in lent(setting), "it is scored, and not looked at yet"
    assert machine_first.give_back(project=setting.project) == [new.pk]
    assert Entry.objects.get(ranking=order, item=new).band == ranked
    assert new.pk in lent(setting)


def test_where_nobody_looks_at_it_people_get_it_all_the_same(setting: Setting) -> None:
    new = arrived(setting)
    assert new.pk not in lent(setting)
    Item.objects.filter(pk=new.pk).update(
        added_at=timezone.now() - machine_first.PATIENCE - timedelta(seconds=1)
    )
    assert new.pk in lent(setting)


def test_what_somebody_has_begun_stays_theirs(setting: Setting) -> None:
    slot = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    before = Entry.objects.get(item=slot.item_id).band
    machine_first.leave(project=setting.project, item_ids=[slot.item_id])
    assert Entry.objects.get(item=slot.item_id).band == before
