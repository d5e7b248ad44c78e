"""Photos that arrive fall in with the audit's walk as if they had always been there."""

from __future__ import annotations

import pytest
from django.db.models import Max, Min

from labeling.catalog.models import Image, Item, Project
from labeling.catalog.random_keys import bring_forward
from labeling.catalog.services import add_items
from labeling.queue.priority import draw_for_audit
from tests.factories import make_items, make_project

pytestmark = pytest.mark.django_db


def arrive(project: Project, count: int) -> set[int]:
    """Photos by the service that takes them in; their rows are another project's, which has nothing else to do with it."""
    images = [item.image for item in make_items(make_project(), count)]
    return {item.pk for item in add_items(project=project, images=[(each, "") for each in images], source="")}


def drawn(project: Project) -> set[int]:
    return set(
        Item.objects.filter(project=project, audit_drawn_at__isnull=False).values_list("pk", flat=True)
    )


def place(project: Project) -> float:
    return float(
        Item.objects.filter(project=project, audit_drawn_at__isnull=False).aggregate(at=Max("random_key"))[
            "at"
        ]
    )


def test_a_batch_that_arrives_in_mid_walk_gets_its_fair_share_of_the_draws() -> None:
    project = make_project()
    make_items(project, 200)
    draw_for_audit(project=project, count=100)
    before = drawn(project)
    batch = arrive(project, 200)
    draw_for_audit(project=project, count=60)
    # 60 of 300, of which 200 arrived: 40 on average, 3.3 either way. All 60 where keys know nothing of the walk's place.
    assert 24 <= len((drawn(project) - before) & batch) <= 54


def test_nor_are_they_kept_waiting_where_the_pool_was_drawn_empty_many_times() -> None:
    project = make_project()
    make_items(project, 20)
    for _ in range(30):
        assert draw_for_audit(project=project, count=1000) == 20
        arrive(project, 20)
    arrive(project, 100)
    keys = Item.objects.filter(project=project, audit_drawn_at__isnull=True)
    assert len(set(keys.values_list("random_key", flat=True))) == 120, "keys never run out of digits"
    assert float(keys.aggregate(at=Min("random_key"))["at"]) > place(project)


def test_a_photo_that_the_walk_passed_by_is_brought_forward_and_not_simply_the_next() -> None:
    project = make_project()
    make_items(project, 300)
    draw_for_audit(project=project, count=50)
    # As an intake leaves them that read the walk's place before these draws and ended after them.
    late = sorted(arrive(project, 100))
    Item.objects.filter(pk__in=late).update(random_key=place(project) / 2)
    assert draw_for_audit(project=project, count=100) == 100
    # 100 of 350, of which 100 are late: 28.6 on average, 3.8 either way; all 100 if they were left where they are.
    assert 12 <= len(drawn(project) & set(late)) <= 46
    assert bring_forward(project) == 0


def test_keys_do_not_depend_on_what_is_shown() -> None:
    project = make_project()
    arrive(project, 1000)
    keys = list(Item.objects.filter(project=project).order_by("pk").values_list("random_key", flat=True))
    assert Image.objects.count() == 1000
    assert 0.8 < sum(keys) / len(keys) < 1.2, "exponential with mean one"
    first, last = sum(keys[:500]) / 500, sum(keys[500:]) / 500
    assert abs(first - last) < 0.4
