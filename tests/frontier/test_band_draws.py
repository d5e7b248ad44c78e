"""People can be asked for the random labels that the next threshold lacks: an even draw from its region."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.db.utils import InternalError, ProgrammingError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.selectors import activity
from labeling.frontier.models import BandDraw, Certificate, CertificationRun, DrawnPhoto
from labeling.frontier.services import decide, draw_for_band, request_certification
from labeling.frontier.status import frontier_status
from labeling.overview.diary import sentence
from labeling.queue.models import Entry, Ranking
from labeling.queue.ranking import swap_in
from labeling.queue.services import claim
from labeling.refusals import Refused
from tests.frontier.proving import KEYS, Pool, make_pool
from tests.kept import made_once

pytestmark = pytest.mark.django_db


def said(pool: Pool, item_id: int) -> str | None:
    """One in seven of the less sure is wrong: the class as a whole is as precise as is wished, by little."""
    other = KEYS[1] if pool.predicted[item_id] == KEYS[0] else KEYS[0]
    margin = pool.margin[item_id]
    return other if margin < 0.6 and round(margin * len(pool.items)) % 7 == 0 else None


@made_once
def begun(*, labels: int = 300, photos: int = 1000, planned: int = 260) -> Pool:
    """Both classes certified somewhere, with too few labels to come to where errors begin."""
    pool = make_pool(photos)
    pool.policy(precision=0.9, planned_labels=planned)
    pool.settle_all((item, said(pool, item.pk)) for item in pool.draw(labels))
    look(pool)
    return pool


def answer(pool: Pool, item_id: int) -> None:
    item = next(each for each in pool.items if each.pk == item_id)
    pool.settle(item, said(pool, item_id))


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


def test_photos_are_drawn_evenly_from_the_region_of_the_next_threshold() -> None:
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
    assert draw.photos == walk["steps"][target]["photos"] - walk["steps"][target]["n"]


def test_what_people_have_settled_since_the_plan_is_drawn_like_any_other() -> None:
    pool = begun()
    waiting = pool.waiting()
    free = [item for item in pool.items if item.pk in waiting]
    pool.settle_all((item, None) for item in free[::2])
    draw = ask(pool, 5000)
    assert draw.drawn.count() == draw.photos
    functional = [item.pk for item in free if pool.predicted[item.pk] == "functional"]
    region = {pk for pk in functional if pool.margin[pk] >= draw.threshold}
    assert region == set(draw.drawn.values_list("item_id", flat=True))


def test_they_come_to_people_first_and_count_for_the_next_threshold() -> None:
    pool = begun()
    before, first = frontier(pool), CertificationRun.objects.filter(project=pool.project)[0]
    draw = ask(pool, 250)
    drawn = set(DrawnPhoto.objects.filter(draw=draw).values_list("item_id", flat=True))
    slots = claim(project=pool.project, labeler=pool.labelers[0], count=8)
    assert {slot.item_id for slot in slots} <= drawn
    by_id = {item.pk: item for item in pool.items}
    pool.settle_all((by_id[item], None) for item in drawn)
    run = look(pool)
    assert run.counts["used"] == len(run.item_ids) == 300 + len(drawn)
    assert run.item_ids[300:] == list(
        DrawnPhoto.objects.filter(draw=draw).order_by("place").values_list("item_id", flat=True)
    )
    assert frontier(pool) <= before
    name = str(draw.label_class_id)
    earlier = {step["threshold"]: step["p_value"] for step in first.walks[name]["steps"]}
    now = {step["threshold"]: step["p_value"] for step in run.walks[name]["steps"]}
    assert now[draw.threshold] < earlier[draw.threshold]


def test_they_count_for_their_region_and_those_outside_of_it_only() -> None:
    pool = begun()
    before = CertificationRun.objects.filter(project=pool.project)[0]
    draw = ask(pool, 100)
    name = str(draw.label_class_id)
    by_id = {item.pk: item for item in pool.items}
    pool.settle_all((by_id[item], None) for item in draw.drawn.values_list("item_id", flat=True))
    run = look(pool)
    for old, new in zip(before.walks[name]["steps"], run.walks[name]["steps"], strict=True):
        if new["threshold"] < draw.threshold:
            assert (new["n"], new["rest"]) == (old["n"], old["rest"] - 100), (
                "what is taken is known, and no more"
            )
        elif new["threshold"] == draw.threshold:
            assert new["n"] == old["n"] + 100


def test_a_photo_that_the_audit_draws_later_too_counts_once() -> None:
    pool = begun()
    draw = ask(pool, 40)
    for item in DrawnPhoto.objects.filter(draw=draw).values_list("item_id", flat=True):
        answer(pool, item)
    before = look(pool).walks
    pool.draw(len(pool.items))
    run = look(pool)
    assert len(run.item_ids) == len(set(run.item_ids))
    # It speaks for the whole class once the walk comes to it, and twice for nothing.
    name = str(draw.label_class_id)
    assert run.walks[name]["steps"][0]["n"] >= before[name]["steps"][0]["n"]
    assert all(step["n"] <= step["photos"] for step in run.walks[name]["steps"])


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
    drawn = client.post(address, {"class": "defective", "count": 5}, content_type="application/json")
    assert drawn.status_code == 200 and drawn.json()["drawn"] > 0
    assert client.post(address, {}, content_type="application/json").status_code == 422
    odd = client.post(address, {"class": "defective", "count": 0}, content_type="application/json")
    assert odd.status_code == 422
    client.post(reverse("frontier-draw", args=[pool.project.slug]), {"class": "functional", "count": "many"})
    assert BandDraw.objects.filter(project=pool.project, label_class__key="functional").count() == 1
