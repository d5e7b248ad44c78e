"""Photos that come after an order was made take places in it by their scores; where they are many, another order is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from labeling.catalog.models import Item, Project
from labeling.frontier import receivers as frontier
from labeling.jobs.models import Job, JobState
from labeling.learning.events import embedded
from labeling.learning.models import ModelVersion, Score
from labeling.learning.services import promote
from labeling.queue import entry_counts, joining, machine_first, outgrown, placing, priority, services
from labeling.queue import tasks as tasks  # registers the handlers
from labeling.queue.events import arrivals_placed
from labeling.queue.models import Entry, Placement, Ranking, Slot
from labeling.queue.places import ARRIVALS, ASKED_FIRST, MACHINE_FIRST
from labeling.queue.placing import truths_by_band
from labeling.queue.ranking import swap_in
from tests.factories import make_items, make_member
from tests.learning.building import run_job, separable_project, settle, store_vectors, trained_project
from tests.queue.conftest import rank_by_hand

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def few(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders of as few as ten photos take half as many more."""
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.MODELS_DIR = tmp_path / "models"
    monkeypatch.setattr(outgrown, "FEW", 10)
    monkeypatch.setattr(outgrown, "MOST_NEW", 0.5)


@pytest.fixture
def ordered() -> Project:
    """A project of 60 photos, 40 of them in an order by its champion."""
    project, _items, _keys = trained_project(60, unlabeled=40)
    promote(model_version=ModelVersion.objects.get(project=project), by=project.created_by)
    run_jobs(project)
    return project


def run_jobs(project: Project) -> list[Job]:
    """All of ``rank`` and ``place`` that wait, and what these ask for."""
    done: list[Job] = []
    waiting = Job.objects.of_project(project.pk).filter(state=JobState.QUEUED, kind__in=["rank", "place"])
    while (job := waiting.order_by("created_at").first()) is not None:
        done.append(run_job(job))
        assert job.state != JobState.FAILED
        assert done[-1].state == JobState.SUCCEEDED, done[-1].error + done[-1].trace
    return done


def arrive(project: Project, count: int = 6, *, seen: bool = True, **more: Any) -> list[Item]:
    """New photos, ``seen`` by the backbone; of both classes in turn."""
    items = make_items(project, count, seed=Item.objects.count())
    services.append_arrivals(project=project, item_ids=[item.pk for item in items])
    if seen:
        store_vectors(project, items, [("functional", "defective")[n % 2] for n in range(count)], **more)
    return items


def entries(items: list[Item]) -> list[Entry]:
    current = Ranking.objects.get(project=items[0].project, current=True)
    found = {each.item_id: each for each in Entry.objects.filter(ranking=current, item__in=items)}
    return [found[item.pk] for item in items]


def seen(project: Project) -> list[Job]:
    embedded.send(sender=Project, project=project)
    return run_jobs(project)


def counts_are_right() -> None:
    assert (entry_counts.mend(), placing.mend()) == (0, 0)


@pytest.fixture
def told() -> Iterator[list[Project]]:
    """Whose arrivals were placed, each time that other rooms heard of it."""
    heard: list[Project] = []
    arrivals_placed.connect(lambda project, **_: heard.append(project), weak=False, dispatch_uid="told")
    yield heard
    arrivals_placed.disconnect(dispatch_uid="told")


def test_they_get_scores_and_the_places_that_their_scores_say_and_no_other_order_is_made(
    ordered: Project, told: list[Project]
) -> None:
    before = Ranking.objects.get(project=ordered, current=True)
    ridges = sum(sum(each.ridge) for each in Placement.objects.filter(ranking=before))
    items = arrive(ordered)
    (job,) = seen(ordered)

    assert (job.kind, job.result) == ("place", {"placed": 6, "scored": 6})
    assert told == [ordered]
    assert Ranking.objects.get(project=ordered, current=True) == before
    lows = {each.predicted_id: each.lows for each in Placement.objects.filter(ranking=before)}
    scores = {each.item_id: each for each in Score.objects.filter(item__in=items)}
    assert len({each.predicted_id for each in scores.values()}) == 2
    for entry in entries(items):
        score = scores[entry.item_id]
        assert entry.ladder_id == score.predicted_id
        assert entry.confidence == pytest.approx(score.confidence)
        mine = lows[score.predicted_id]
        assert 0 <= entry.band < before.bands
        assert score.confidence >= mine[entry.band] - 1e-5, "not further out than its band begins"
        assert entry.band == 0 or score.confidence < mine[entry.band - 1] + 1e-5
        in_band = Entry.objects.filter(ranking=before, band=entry.band, late=False).count()
        assert 0 <= entry.position < max(in_band, 1)
    assert sum(sum(each.ridge) for each in Placement.objects.filter(ranking=before)) == ridges + 6
    counts_are_right()


def test_an_arrival_is_lent_in_its_turn_once_it_is_placed(ordered: Project) -> None:
    items = arrive(ordered, apart=6.0)  # so clear that they lie at the very end
    seen(ordered)
    assert {each.band for each in entries(items)} == {0}
    outermost = set(Entry.objects.filter(band=0).values_list("item_id", flat=True))
    slots = services.claim(project=ordered, labeler=make_member(ordered), count=len(outermost))
    assert {slot.item_id for slot in slots} == outermost
    answered = services.claim(project=ordered, labeler=make_member(ordered), count=len(outermost))
    assert {slot.item_id for slot in answered} == outermost, "and to a second person, once"


def test_what_is_asked_first_or_begun_or_left_to_the_machine_stays_so(
    ordered: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontier, "_certified", lambda project: True)  # or all would be people's at once
    first, begun, machine, plain = items = arrive(ordered, 4)
    priority.ask_first(project=ordered, item_ids=[first.pk])
    asked = entries([first])[0]
    Entry.objects.filter(item=begun).update(taken=1, free=1, first_holder=make_member(ordered))
    machine_first.leave(project=ordered, item_ids=[machine.pk])
    assert machine_first.give_back(project=ordered) == [], "it has no score to look at"
    seen(ordered)

    assert [each.ladder_id is not None for each in entries(items)] == [True] * 4
    now = entries(items)
    assert (now[0].position, now[0].band) == (asked.position, asked.band) and now[0].position <= ASKED_FIRST
    assert now[1].taken == 1 and now[1].band != ARRIVALS
    where = now[2].band
    assert MACHINE_FIRST <= where < MACHINE_FIRST + ordered.bands
    assert now[3].item_id == plain.pk and now[3].band < ordered.bands
    counts_are_right()
    assert machine_first.give_back(project=ordered) == [machine.pk]
    assert entries([machine])[0].band == where - MACHINE_FIRST


def test_what_came_settled_gets_a_score_and_counts_in_its_band(ordered: Project) -> None:
    before = truths_by_band(ordered)
    items = arrive(ordered, 4)
    settle(ordered, items, ["functional", "defective"] * 2)
    services.remove_several(project=ordered, item_ids=[item.pk for item in items])
    assert truths_by_band(ordered).elsewhere == before.elsewhere + 4
    (job,) = seen(ordered)
    assert job.result == {"placed": 0, "scored": 4}
    after = truths_by_band(ordered)
    assert after.elsewhere == before.elsewhere
    assert sum(after.all.values()) == sum(before.all.values()) + 4
    counts_are_right()


def test_those_without_an_embedding_wait_and_are_placed_when_they_have_one(ordered: Project) -> None:
    items = arrive(ordered, 4, seen=False)
    (job,) = seen(ordered)
    assert job.result == {"placed": 0, "scored": 0}
    assert {each.band for each in entries(items)} == {ARRIVALS}
    store_vectors(ordered, items, ["functional", "defective"] * 2)
    (job,) = seen(ordered)
    assert job.result == {"placed": 4, "scored": 4}
    assert ARRIVALS not in {each.band for each in entries(items)}


def test_the_next_order_has_them_once(ordered: Project) -> None:
    items = arrive(ordered)
    seen(ordered)
    services.request_ranking(project=ordered)
    (job,) = run_jobs(ordered)
    assert job.kind == "rank" and job.result["photos"] == 46
    assert len(entries(items)) == 6 and not any(each.late for each in entries(items))
    counts_are_right()


def test_an_order_that_was_read_before_they_came_has_them_too(ordered: Project) -> None:
    """Two projects' orders may be made by another job at the same time: it swaps in what it read before."""
    old = Ranking.objects.get(project=ordered, current=True)
    read_at = timezone.now()
    new = rank_by_hand(ordered, [each.item for each in Entry.objects.filter(ranking=old)])
    Ranking.objects.filter(pk=new.pk).update(current=False)
    Ranking.objects.filter(pk=old.pk).update(current=True)
    items = arrive(ordered)
    seen(ordered)
    swap_in(ranking=new, read_at=read_at)
    assert len(entries(items)) == 6, "nobody would be asked about them any more"


def test_as_many_as_it_takes_are_placed(ordered: Project) -> None:
    arrive(ordered, 20)  # so many wait, and so many came: neither is more than 30
    assert [job.kind for job in seen(ordered)] == ["place"]


def test_what_the_order_knew_without_an_embedding_is_placed_when_it_has_one(
    ordered: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it was settled, is asked first, or was left to the machine: none of these waits behind all others."""
    monkeypatch.setattr(frontier, "_certified", lambda project: True)
    settled, first, machine, behind = items = arrive(ordered, 4, seen=False)
    settle(ordered, [settled], ["functional"])
    services.remove_several(project=ordered, item_ids=[settled.pk])
    priority.ask_first(project=ordered, item_ids=[first.pk])
    machine_first.leave(project=ordered, item_ids=[machine.pk])
    services.request_ranking(project=ordered)
    run_jobs(ordered)
    assert not any(each.ladder_id for each in entries([first, machine, behind]))
    assert machine_first.give_back(project=ordered) == []
    store_vectors(ordered, items, ["functional", "defective"] * 2)
    (job,) = seen(ordered)
    assert job.result == {"placed": 3, "scored": 4}
    assert all(each.ladder_id for each in entries([first, machine, behind]))
    assert entries([first])[0].position <= ASKED_FIRST
    assert machine_first.give_back(project=ordered) == [machine.pk]
    counts_are_right()


def test_what_was_put_behind_all_others_gets_its_place_back(ordered: Project) -> None:
    current = Ranking.objects.get(project=ordered, current=True)
    entry = Entry.objects.filter(ranking=current)[0]
    was = entry.band
    Entry.objects.filter(ranking=current, item=entry.item_id).update(band=ARRIVALS)
    (job,) = seen(ordered)
    assert job.result == {"placed": 1, "scored": 0}
    assert Entry.objects.get(ranking=current, item=entry.item_id).band == was
    counts_are_right()


def test_while_several_projects_are_ordered_nothing_is_placed_and_afterwards_it_is(ordered: Project) -> None:
    several = services.request_rescoring(projects=[ordered])
    Job.objects.filter(pk=several.pk).update(state=JobState.RUNNING)
    items = arrive(ordered)
    (job,) = seen(ordered)
    assert job.result == {"placed": 0, "scored": 0}
    Job.objects.filter(pk=several.pk).update(state=JobState.QUEUED)
    run_job(several)
    assert run_jobs(ordered)[0].kind == "place"
    assert all(each.ladder_id for each in entries(items))


def test_photos_are_placed_some_at_a_time_and_each_part_is_told(
    ordered: Project, told: list[Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a part that is told later, nobody would hear where the worker is killed before."""
    monkeypatch.setattr(joining, "AT_ONCE", 4)
    items = arrive(ordered, 10)
    (job,) = seen(ordered)
    assert job.result == {"placed": 10, "scored": 10}
    assert told == [ordered] * 3
    assert all(each.ladder_id for each in entries(items))
    counts_are_right()


def test_photos_go_back_that_were_as_sure_as_can_be_and_less_so(ordered: Project) -> None:
    """A whole number in a loan comes back from its JSON as one."""
    labeler = make_member(ordered)
    one, other = services.claim(project=ordered, labeler=labeler, count=2)
    for slot, confidence in ((one, 1), (other, 0.83)):
        Slot.objects.filter(pk=slot.pk).update(context=slot.context | {"confidence": confidence})
    services.put_back(project=ordered, rounds={one.item_id: 1, other.item_id: 1})
    current = Entry.objects.filter(ranking__current=True, item__in=[one.item_id, other.item_id])
    assert sorted(current.values_list("confidence", flat=True)) == [0.83, 1.0]


@pytest.mark.parametrize(
    "why",
    [
        "many",
        "many without a place",
        "strategy",
        "another version",
        "a ladder without photos",
        "an order of before the upgrade",
    ],
)
def test_another_order_is_made_where_places_in_this_one_would_not_do(ordered: Project, why: str) -> None:
    before = Ranking.objects.get(project=ordered, current=True)
    assert not outgrown.has_outgrown(ordered, before)
    items = arrive(ordered, 31 if why == "many" else 6)
    if why == "many without a place":
        Entry.objects.filter(ranking=before, item__in=[item.pk for item in items]).delete()
        Entry.objects.filter(ranking=before).update(band=ARRIVALS)
    if why == "strategy":
        Ranking.objects.filter(pk=before.pk).update(strategy="random")
    if why == "another version":
        Ranking.objects.filter(pk=before.pk).update(model_version=None)
    if why == "a ladder without photos":
        Placement.objects.filter(ranking=before)[0].delete()
    if why == "an order of before the upgrade":
        Ranking.objects.filter(pk=before.pk).update(last_item_id=None)
    done = seen(ordered)
    assert done[-1].kind == "rank"
    assert len(done) == (2 if why == "a ladder without photos" else 1)
    assert Ranking.objects.get(project=ordered, current=True).number > before.number
    waiting = Entry.objects.filter(ranking__project=ordered, ranking__current=True)
    assert waiting.count() == 40 + len(items)
    assert all(each.ladder_id and not each.late for each in waiting)


def test_without_a_model_few_wait_behind_and_many_make_another_order() -> None:
    project, _items, _keys = separable_project(60, unlabeled=40)
    services.request_ranking(project=project)
    run_jobs(project)
    items = arrive(project)
    (job,) = seen(project)
    assert (job.kind, job.result) == ("place", {"placed": 0, "scored": 0})
    assert {each.band for each in entries(items)} == {ARRIVALS}
    arrive(project, 25)
    assert [job.kind for job in seen(project)] == ["rank"]
