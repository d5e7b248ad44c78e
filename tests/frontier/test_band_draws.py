"""People can be asked for the random labels that the next threshold lacks, and those weigh by the chances of their draw."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import transaction
from django.db.utils import InternalError, ProgrammingError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inference.certify.sampling import importance
from labeling.catalog.selectors import activity
from labeling.frontier.compute.certifying import drawings_of
from labeling.frontier.models import BandDraw, Certificate, CertificationRun, DrawnPhoto
from labeling.frontier.selectors import frontier_status
from labeling.frontier.services import decide, draw_for_band, request_certification
from labeling.overview.diary import sentence
from labeling.queue.models import Entry, Ranking
from labeling.queue.ranking import swap_in
from labeling.queue.services import claim
from labeling.refusals import Refused
from tests.frontier.proving import KEYS, Pool, make_pool
from tests.kept import made_once

pytestmark = pytest.mark.django_db

WRONG_BELOW = 0.3


@made_once
def begun(*, labels: int = 300, photos: int = 1000, planned: int = 260) -> Pool:
    """Both classes certified somewhere, with too few labels to come to where errors begin."""
    pool = make_pool(photos)
    pool.policy(precision=0.9, planned_labels=planned)
    pool.settle_all(pool.wrong_below(WRONG_BELOW, pool.draw(labels)))
    look(pool)
    return pool


def answer(pool: Pool, item_id: int) -> None:
    item = next(each for each in pool.items if each.pk == item_id)
    other = KEYS[1] if pool.predicted[item_id] == KEYS[0] else KEYS[0]
    pool.settle(item, other if pool.margin[item_id] < WRONG_BELOW else None)


def look(pool: Pool) -> CertificationRun:
    request_certification(project=pool.project, by=pool.admin)
    pool.work()
    newest = CertificationRun.objects.filter(project=pool.project).first()
    assert newest is not None
    return newest


def ask(pool: Pool, count: int | None = None) -> BandDraw:
    draw_for_band(project=pool.project, by=pool.admin, class_key="functional", count=count)
    newest = BandDraw.objects.filter(project=pool.project).first()
    assert newest is not None
    return newest


def order_again(pool: Pool) -> None:
    """Another order takes over, in which the photos that were drawn would come last."""
    drawn = DrawnPhoto.objects.filter(draw__project=pool.project).values("item")
    read_at = timezone.now()
    new = Ranking.objects.create(project=pool.project, number=99, strategy="random", current=False)
    old = Entry.objects.filter(ranking__project=pool.project).exclude(item__in=drawn)
    last = Entry.objects.filter(ranking__project=pool.project, item__in=drawn)
    for position, entry in enumerate([*old, *last]):
        Entry.objects.create(ranking=new, item_id=entry.item_id, band=0, position=position, free=2)
    swap_in(ranking=new, read_at=read_at)


def frontier(pool: Pool) -> float:
    found = Certificate.objects.in_force().filter(project=pool.project, label_class__key="functional")
    return found.get().threshold


def test_photos_are_drawn_from_the_region_of_the_next_threshold_and_each_chance_is_kept() -> None:
    pool = begun()
    draw = ask(pool, 60)
    run = CertificationRun.objects.filter(project=pool.project)[0]
    walk = run.walks[str(draw.label_class_id)]
    target = walk["certified"] + 1
    assert draw.threshold == walk["steps"][target]["threshold"]
    drawn = list(DrawnPhoto.objects.filter(draw=draw).order_by("place"))
    assert len(drawn) == 60
    for each in drawn:
        assert pool.predicted[each.item_id] == "functional"
        assert pool.margin[each.item_id] >= draw.threshold
        assert each.item.audit_drawn_at is None
    # Twice the chance beyond the frontier, none inward of what was asked for.
    assert set(draw.chances[:target]) == {1.0}
    assert draw.chances[target] == 2.0 and set(draw.chances[target + 1 :]) <= {0.0}
    assert sum(draw.drawing) == pytest.approx(1.0)
    total = sum(n * chance for n, chance in zip(draw.photos, draw.chances, strict=True))
    assert {round(each.chance * total, 9) for each in drawn} <= {1.0, 2.0}


def test_the_inner_band_is_drawn_about_twice_as_often() -> None:
    pool = begun(labels=600, photos=1600, planned=500)
    draw = ask(pool, 300)
    inner = sum(1 for n in draw.chances if n == 2.0)
    thresholds = [
        step["threshold"]
        for step in CertificationRun.objects.all()[0].walks[str(draw.label_class_id)]["steps"]
    ]
    edge = thresholds[len([n for n in draw.chances if n == 1.0]) - 1]
    counted = Counter(
        pool.margin[item] >= edge
        for item in DrawnPhoto.objects.filter(draw=draw).values_list("item_id", flat=True)
    )
    expected = 300 * sum(d for d, n in zip(draw.drawing, draw.chances, strict=True) if n == 2.0)
    assert inner == 1
    assert expected * 0.5 < counted[False] < expected * 1.6
    assert expected > 1.3 * 300 * draw.photos[draw.chances.index(2.0)] / sum(
        n for n, c in zip(draw.photos, draw.chances, strict=True) if c
    )


def test_they_come_to_people_first_and_move_the_frontier_inward() -> None:
    pool = begun()
    before = frontier(pool)
    draw = ask(pool, 250)
    drawn = set(DrawnPhoto.objects.filter(draw=draw).values_list("item_id", flat=True))
    slots = claim(project=pool.project, labeler=pool.labelers[0], count=8)
    assert {slot.item_id for slot in slots} <= drawn
    by_id = {item.pk: item for item in pool.items}
    pool.settle_all((by_id[item], None) for item in drawn)
    run = look(pool)
    assert run.counts["used"] == len(run.item_ids) == 300 + 250
    assert run.item_ids[300:] == list(
        DrawnPhoto.objects.filter(draw=draw).order_by("place").values_list("item_id", flat=True)
    )
    assert frontier(pool) < before


def test_the_look_weighs_them_by_the_chances_that_were_kept() -> None:
    pool = begun(labels=600, photos=1600, planned=500)
    draw = ask(pool, 200)
    functional = str(draw.label_class_id)
    inner = draw.chances.index(2.0)
    before = CertificationRun.objects.all()[0].walks[functional]["steps"]
    even = before[inner]["errors"]
    by_id = {item.pk: item for item in pool.items}
    asked, said = 0, []
    for item in DrawnPhoto.objects.filter(draw=draw).order_by("place").values_list("item_id", flat=True):
        # All errors of the region are in its inner band, which was drawn twice as often.
        wrong = pool.margin[item] < before[inner - 1]["threshold"]
        asked += wrong
        said.append((by_id[item], "defective" if wrong else None))
    pool.settle_all(said)
    run = look(pool)
    step = run.walks[functional]["steps"][inner]
    weight = importance([each["share"] for each in before], draw.drawing).weight[inner, inner]
    assert asked > 10 and weight < 0.7
    assert step["errors"] == even + asked
    assert 1 - step["precision"] == pytest.approx((even + asked * weight) / step["n"], rel=1e-6)
    assert drawings_of(run.plan) == {draw.pk: draw.drawing}


def test_a_photo_that_the_audit_draws_later_too_counts_once() -> None:
    pool = begun()
    draw = ask(pool, 40)
    for item in DrawnPhoto.objects.filter(draw=draw).values_list("item_id", flat=True):
        answer(pool, item)
    pool.draw(len(pool.items))
    run = look(pool)
    assert len(run.item_ids) == len(set(run.item_ids))


def test_labels_asked_for_under_another_version_are_left_out() -> None:
    pool = begun()
    draw = ask(pool, 40)
    for item in DrawnPhoto.objects.filter(draw=draw).values_list("item_id", flat=True):
        answer(pool, item)
    pool.train([])
    run = look(pool)
    assert run.item_ids == []
    ask_again = BandDraw.objects.filter(project=pool.project).count()
    assert ask_again == 1


def test_the_machine_leaves_them_to_people_and_a_new_order_does_too() -> None:
    pool = begun()
    draw = ask(pool, 50)
    drawn = set(DrawnPhoto.objects.filter(draw=draw).values_list("item_id", flat=True))
    pool.policy(mode="on", audit_share=0.0)
    pool.work()
    decide(project=pool.project)
    assert not pool.project.automatic_decisions.filter(item__in=drawn).exists()
    assert pool.project.automatic_decisions.exists()
    order_again(pool)
    slots = claim(project=pool.project, labeler=pool.labelers[0], count=20)
    assert {slot.item_id for slot in slots} <= drawn


def test_without_a_count_as_many_are_drawn_as_the_look_lacked() -> None:
    pool = begun()
    run = CertificationRun.objects.filter(project=pool.project)[0]
    walk = run.walks[str(pool.classes["functional"].pk)]
    step = walk["steps"][walk["certified"] + 1]
    draw = ask(pool)
    assert draw.drawn.count() == (step["more_at_present_rate"] or step["more_without_errors"])


def test_what_cannot_be_asked_for_is_refused_with_the_reason() -> None:
    pool = make_pool()
    with pytest.raises(Refused, match="Certify first"):
        ask(pool, 10)
    pool = begun()
    with pytest.raises(Refused, match="no class"):
        draw_for_band(project=pool.project, by=pool.admin, class_key="cracked", count=10)
    with pytest.raises(Refused, match="between 1"):
        ask(pool, 100_000)


def test_draws_are_never_changed_or_deleted() -> None:
    pool = begun()
    draw = ask(pool, 10)
    for rows in (BandDraw.objects.filter(pk=draw.pk), DrawnPhoto.objects.filter(draw=draw)):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            rows._raw_delete(rows.db)


def test_the_page_and_the_api_ask_for_exactly_what_the_next_step_lacks() -> None:
    pool = begun()
    client = Client()
    client.force_login(pool.admin)
    lacks = frontier_status(pool.project).classes[0].lacks
    assert lacks
    text = " ".join(client.get(reverse("frontier", args=[pool.project.slug])).content.decode().split())
    assert (
        "Request these labels" in text
        and f'name="count" inputmode="numeric" size="6" value="{lacks}"' in text
    )
    answer = client.post(
        reverse("frontier-draw", args=[pool.project.slug]), {"class": "functional", "count": "7"}
    )
    assert answer.status_code == 302
    assert BandDraw.objects.get(project=pool.project).drawn.count() == 7
    entry = activity(pool.project, limit=1)[0]
    assert (entry.kind, entry.data["photos"]) == ("band_drawn", 7) and "7 photos of" in sentence(entry)

    address = f"/api/v1/projects/{pool.project.slug}/draw"
    drawn = client.post(address, {"class": "defective"}, content_type="application/json")
    assert drawn.status_code == 200 and drawn.json()["drawn"] > 0
    assert client.post(address, {}, content_type="application/json").status_code == 422
    odd = client.post(address, {"class": "defective", "count": 0}, content_type="application/json")
    assert odd.status_code == 422
    client.post(reverse("frontier-draw", args=[pool.project.slug]), {"class": "functional", "count": "many"})
    assert BandDraw.objects.filter(project=pool.project, label_class__key="functional").count() == 1
