"""A re-ranking: scored, ordered from the extremes inward, swapped without losing what people have begun."""

from __future__ import annotations

import hashlib
from uuid import uuid4

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone

from inference.store import EmbeddingStore
from labeling.catalog.models import Item, Project
from labeling.catalog.services import amend_guideline, update_settings
from labeling.jobs.models import Job
from labeling.jobs.runner import run
from labeling.queue import priority, services
from labeling.queue.models import Entry, Ranking
from labeling.queue.places import ARRIVALS
from labeling.queue.ranking import open_items, swap_in
from labeling.truth.current import truth_in_force
from labeling.truth.services import Answer
from tests.factories import make_items, make_member, make_project
from tests.queue.conftest import Setting, answer_with, rank_by_hand

pytestmark = pytest.mark.django_db


def test_what_people_began_or_finished_meanwhile_is_carried_over(setting: Setting) -> None:
    read_at = timezone.now()
    begun, settled, held = services.claim(project=setting.project, labeler=setting.ann, count=3)
    answer_with(setting.project, begun)
    answer_with(setting.project, settled)
    new = rank_by_hand(setting.project, setting.items)  # computed before the rest happened
    Ranking.objects.filter(pk=new.pk).update(current=False)
    Ranking.objects.filter(pk=setting.ranking.pk).update(current=True)
    for slot in services.claim(project=setting.project, labeler=setting.bob, count=3):
        if slot.item_id == settled.item_id:
            answer_with(setting.project, slot)
    arrived = make_items(setting.project, 1)[0]
    services.append_arrivals(project=setting.project, item_ids=[arrived.pk])

    swap_in(ranking=new, read_at=read_at)

    entries = {entry.item_id: entry for entry in Entry.objects.filter(ranking=new)}
    assert settled.item_id not in entries
    assert entries[begun.item_id].taken == 2 and entries[begun.item_id].first_holder == setting.ann
    assert entries[held.item_id].taken == 2
    assert entries[arrived.pk].band == ARRIVALS
    assert Ranking.objects.get(project=setting.project, current=True) == new


def test_what_is_asked_for_first_comes_first_in_the_next_order_too(setting: Setting) -> None:
    last = setting.items[-1].pk
    priority.ask_first(project=setting.project, item_ids=[last])
    new = rank_by_hand(setting.project, setting.items)
    Ranking.objects.filter(pk=new.pk).update(current=False)
    Ranking.objects.filter(pk=setting.ranking.pk).update(current=True)
    swap_in(ranking=new, read_at=timezone.now())
    assert services.claim(project=setting.project, labeler=setting.ann, count=1)[0].item_id == last


def test_open_photos_are_those_that_still_need_answers(setting: Setting) -> None:
    slot = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    services.submit(
        project=setting.project,
        labeler=setting.ann,
        lease=slot.pk,
        key=uuid4(),
        answer=Answer(kind="hold", reason="between"),
        view_ms=400,
    )
    expected = [item.pk for item in setting.items if item.pk != slot.item_id]
    pool = np.array([item.pk for item in setting.items])
    assert open_items(setting.project, pool).tolist() == expected


def _embed(project: Project, items: list[Item]) -> None:
    """Stored vectors instead of photos: this test is about the order, not about pixels."""
    from inference import backbones

    backbone = backbones.load(project.backbone)
    store = EmbeddingStore(settings.EMBEDDINGS_DIR, backbone.content_hash, backbone.dim)
    rng = np.random.default_rng(int(hashlib.sha256(project.slug.encode()).hexdigest()[:8], 16))
    store.append(
        [item.image.sha256 for item in items],
        rng.normal(size=(len(items), backbone.dim)).astype(np.float32),
    )


def test_the_first_ranking_orders_by_typicality_and_new_photos_wait_at_the_end() -> None:
    project = make_project()
    items = make_items(project, 24)
    _embed(project, items[:20])
    job = services.request_ranking(project=project)
    run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error + job.trace
    ranking = Ranking.objects.get(project=project, current=True)
    assert ranking.bands == 1 and ranking.model_version is None
    bands = dict(Entry.objects.filter(ranking=ranking).values_list("item_id", "band"))
    assert {bands[item.pk] for item in items[:20]} == {0}
    assert {bands[item.pk] for item in items[20:]} == {ARRIVALS}
    positions = Entry.objects.filter(ranking=ranking, band=0).values_list("position", flat=True)
    assert sorted(positions) == list(range(20))


def test_requests_that_come_while_a_ranking_waits_are_one() -> None:
    project = make_project()
    first = services.request_ranking(project=project)
    assert services.request_ranking(project=project) == first
    Job.objects.filter(pk=first.pk).update(state="running")
    after = services.request_ranking(project=project)
    assert after != first and services.request_ranking(project=project) == after


def test_labelers_can_claim_while_there_is_only_an_arrival_order() -> None:
    project = make_project()
    items = make_items(project, 3)
    services.append_arrivals(project=project, item_ids=[item.pk for item in items])
    held = services.claim(project=project, labeler=make_member(project), count=3)
    assert {slot.item_id for slot in held} == {item.pk for item in items}


def test_fewer_wanted_answers_settle_what_was_begun_and_the_rest_needs_fewer() -> None:
    project = make_project()
    items = make_items(project, 12)
    _embed(project, items)
    rank_by_hand(project, items)
    ann = make_member(project)
    answered, held = services.claim(project=project, labeler=ann, count=2)
    answer_with(project, answered)

    update_settings(project=project, by=project.created_by, answers_per_image=1, agreement_k=1)

    job = Job.objects.get(kind="rank", project_id=project.pk)
    run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error + job.trace
    truth = truth_in_force(answered.item_id)
    assert truth is not None and truth.label_class is not None and truth.label_class.key == "functional"
    frees = dict(
        Entry.objects.filter(ranking__current=True, ranking__project=project).values_list("item", "free")
    )
    assert answered.item_id not in frees and frees.pop(held.item_id) == 0
    assert set(frees.values()) == {1}


def test_only_a_change_of_the_classes_fates_asks_for_a_new_order() -> None:
    project = make_project(classes=("functional", "defective", "dirty"))
    make_items(project, 3)
    admin = project.created_by
    amend_guideline(project=project, by=admin, note="Clearer", criteria={"dirty": "Dust or droppings."})
    assert not Job.objects.filter(kind="rank").exists()
    amend_guideline(project=project, by=admin, note="One and the same", merge={"dirty": "defective"})
    assert Job.objects.filter(kind="rank").count() == 1
