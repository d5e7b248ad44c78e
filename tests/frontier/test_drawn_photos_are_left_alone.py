"""Nobody takes a photo out of a random sample by calling it known, or shows what it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Exemplar, Item
from labeling.catalog.services import amend_guideline
from labeling.frontier.models import AutomaticDecision
from labeling.frontier.services import decide, draw_for_band
from labeling.refusals import Refused
from labeling.truth.models import Gold
from labeling.truth.services import add_gold, retire_gold
from tests.frontier.proving import Pool, certified_pool, make_pool

pytestmark = pytest.mark.django_db


def of_the_walk() -> tuple[Pool, Item]:
    pool = make_pool(40)
    return pool, pool.draw(3)[0]


def of_a_band() -> tuple[Pool, Item]:
    pool = certified_pool()
    draw_for_band(project=pool.project, by=pool.admin, class_key="functional", count=5)
    return pool, Item.objects.filter(drawn_for_band__isnull=False)[0]


def of_the_audit() -> tuple[Pool, Item]:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=1.0)
    decide(project=pool.project)
    return pool, AutomaticDecision.objects.filter(audit=True)[0].item


def show(pool: Pool, *items: Item) -> None:
    amend_guideline(
        project=pool.project,
        by=pool.admin,
        note="Exemplars",
        exemplars={"functional": [item.image.sha256 for item in items]},
    )


@pytest.mark.parametrize("drawn", [of_the_walk, of_a_band, of_the_audit])
def test_a_drawn_photo_becomes_neither_gold_nor_an_exemplar(drawn: Callable[[], tuple[Pool, Item]]) -> None:
    pool, item = drawn()
    with pytest.raises(Refused, match="drawn at random") as refusal:
        add_gold(project=pool.project, item=item, class_key="functional", by=pool.admin)
    assert (refusal.value.code, refusal.value.status) == ("drawn", 409)
    assert not Gold.objects.exists()
    with pytest.raises(Refused, match="drawn at random") as refusal:
        show(pool, item)
    assert (refusal.value.code, refusal.value.status, set(refusal.value.fields)) == (
        "drawn",
        422,
        {"exemplars"},
    )
    assert not Exemplar.objects.exists()


def test_the_page_and_the_api_say_why(client: Client) -> None:
    pool, item = of_the_walk()
    client.force_login(pool.admin)
    page = client.post(
        reverse("gold-add", args=[pool.project.slug]),
        {"sha256": item.image.sha256, "class_key": "functional"},
        follow=True,
    )
    assert "drawn at random" in page.content.decode()
    told = client.post(
        reverse("api-golds", args=[pool.project.slug]),
        {"sha256": item.image.sha256, "class": "functional"},
        content_type="application/json",
        headers={"X-Hilltop-Person": str(pool.admin.pk)},
    )
    assert (told.status_code, told.json()["error"]["code"]) == (409, "drawn")


def test_what_was_gold_or_shown_before_its_draw_stays_what_it_is() -> None:
    pool = make_pool(40)
    gold = add_gold(project=pool.project, item=pool.items[0], class_key="functional", by=pool.admin)
    show(pool, pool.items[1])
    pool.draw(40)
    assert retire_gold(gold=gold, by=pool.admin).retired_at is not None
    again = add_gold(project=pool.project, item=pool.items[0], class_key="functional", by=pool.admin)
    assert (again.pk, again.retired_at) == (gold.pk, None)
    amend_guideline(
        project=pool.project, by=pool.admin, note="Stricter", criteria={"functional": "No crack at all."}
    )
    assert Exemplar.objects.filter(image=pool.items[1].image).count() == 2
