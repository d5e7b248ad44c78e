"""What is done with all that a search finds: foreseen before, photo by photo, resumed where it ended, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.catalog.models import Item
from labeling.explorer import services
from labeling.explorer.bulk import working
from labeling.explorer.bulk.acting import ACTS, do
from labeling.explorer.bulk.deeds import Asked, Outcome
from labeling.explorer.bulk.working import work
from labeling.explorer.models import Bulk, BulkPhoto, Deed
from labeling.frontier.told import Status, standing
from labeling.jobs.progress import Cancelled, Progress
from labeling.queue.entries import append_arrivals
from labeling.queue.models import Entry
from labeling.queue.places import ASKED_FIRST
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth.models import Dispute, Gold, GroundTruth
from tests.explorer.test_what_is_told import answered, later, untouched
from tests.factories import make_items, make_member
from tests.gateway.conftest import World, make_world

pytestmark = pytest.mark.django_db
ALL = "q=png"


@pytest.fixture
def world() -> World:
    return make_world()


def asked(world: World, deed: str, *, by: Any = None, search: str = ALL, **more: Any) -> Bulk:
    more |= {"comment": "Out of focus."} if deed in {"send_back", "unusable"} else {}
    more |= {"class_key": "functional"} if deed == "gold" else {}
    return services.look(project=world.project, by=by or world.admin, deed=deed, search=search, **more)


def run(bulk: Bulk) -> Bulk:
    """The worker's part of the stage that it is at."""
    assert bulk.job is not None
    work(Progress(bulk.job))
    bulk.refresh_from_db()
    return bulk


def on(world: World, bulk: Bulk, step: Any = services.go_on, by: Any = None) -> Bulk:
    return run(step(project=world.project, bulk_id=bulk.pk, by=by or world.admin))


def photos(counted: dict[str, Any]) -> dict[str, int]:
    return {code: each["n"] for code, each in counted.items()}


def called(world: World, item: Any) -> tuple[str, str | None]:
    stands = standing(world.project, [item.pk], world.admin)[item.pk]
    truth = GroundTruth.objects.filter(pk=stands.truth_id).first()
    return stands.status, truth and truth.origin


@pytest.mark.parametrize(("deed", "done"), [("first", 7), ("send_back", 1), ("unusable", 1), ("gold", 4)])
def test_what_is_foreseen_is_what_is_done(world: World, deed: str, done: int) -> None:
    """Of photos of every kind: settled, disputed, begun, gold, decided, untouched, drawn."""
    drawn = untouched(world)
    drawn.audit_drawn_at = drawn.added_at
    drawn.save(update_fields=["audit_drawn_at"])
    bulk = run(asked(world, deed))
    assert bulk.stage == Bulk.Stage.LOOKED and not BulkPhoto.objects.exists()
    before = GroundTruth.objects.count(), Gold.objects.count(), Dispute.objects.count()
    bulk = on(world, bulk)
    assert bulk.stage == Bulk.Stage.DONE
    assert photos(bulk.foreseen) == photos(bulk.done)
    assert sum(photos(bulk.done).values()) == 10
    assert photos(bulk.done)["done"] == done
    left = BulkPhoto.objects.exclude(outcome="done")
    assert left.count() == 10 - done and all(each.outcome in bulk.done for each in left)
    assert deed == "first" or before != (
        GroundTruth.objects.count(), Gold.objects.count(), Dispute.objects.count()
    )  # fmt: skip


def fresh(world: World, count: int, *, settled: bool) -> list[Item]:
    items = make_items(world.project, count)
    if settled:
        as_one = world.settled.ground_truths.get()
        GroundTruth.objects.bulk_create(
            GroundTruth(
                project=world.project,
                item=item,
                kind="class",
                label_class_id=as_one.label_class_id,
                origin="agreement",
                guideline_id=as_one.guideline_id,
            )
            for item in items
        )
    else:
        append_arrivals(project=world.project, item_ids=[item.pk for item in items])
    return items


@pytest.mark.parametrize("deed", list(Deed))
def test_a_page_of_photos_costs_as_many_statements_as_one(world: World, deed: str) -> None:
    asked = Asked(world.project, world.admin, deed, "Out of focus.", "functional")

    def statements(count: int) -> tuple[int, int]:
        items = fresh(world, count, settled=deed in {Deed.SEND_BACK, Deed.UNUSABLE})
        done: list[Outcome] = []
        back: list[Outcome] = []
        with CaptureQueriesContext(connection) as doing:
            do(asked, items, done.extend)
        with CaptureQueriesContext(connection) as undoing:
            ACTS[deed].undo(asked, {each.item_id: each.ruling for each in done}, back.extend)
        assert [each.code for each in (*done, *back)] == ["done"] * 2 * count
        return len(doing), len(undoing)

    for one, page in zip(statements(1), statements(30), strict=True):
        assert page <= one + 1 <= 50, "one more where enough is settled for the next band"


def test_a_photo_of_which_more_is_known_since_the_look_stays_alone(world: World) -> None:
    """As the deed sees it, whatever the look had let pass."""
    drawn, first, second = fresh(world, 3, settled=False)
    Item.objects.filter(pk=drawn.pk).update(audit_drawn_at=drawn.added_at)
    told: list[Outcome] = []
    golden = Asked(world.project, world.admin, Deed.GOLD, class_key="defective")
    ACTS[Deed.GOLD].do(golden, [first, drawn, world.settled, world.gold.item, second], told.extend)
    assert {each.item_id: each.code for each in told} == {
        first.pk: "done",
        second.pk: "done",
        drawn.pk: "drawn",
        world.settled.pk: "already_answered",
        world.gold.item_id: "conflict",
    }
    ids = [world.dispute.item_id, world.settled.pk, first.pk, untouched(world).pk]
    made = truth.correct(
        project=world.project, item_ids=ids, by=world.admin, outcome="unusable", comment="Out of focus."
    )
    codes = [each.code if isinstance(each, Refused) else each.outcome for each in (made[pk] for pk in ids)]
    assert codes == ["not_settled", "unusable", "gold", "not_settled"]


def test_own_answers_stay_and_are_named(world: World) -> None:
    world.project.memberships.filter(user=world.labeler).update(role="reviewer")
    bulk = run(asked(world, "unusable", by=world.labeler))
    assert photos(bulk.foreseen) == {"not_told": 9, "own_answer": 1}
    with pytest.raises(Refused) as refused:
        on(world, bulk, by=world.labeler)
    assert refused.value.code == "nothing_to_do"


def test_photos_that_came_after_the_look_are_not_among_them(world: World) -> None:
    bulk = run(asked(world, "first"))
    make_items(world.project, 3)
    assert photos(on(world, bulk).done) == photos(bulk.foreseen)


def test_it_goes_on_where_it_was_stopped_and_does_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = untouched(world)
    answered(world, second, "functional", "functional")
    bulk = run(asked(world, "unusable", search="class=functional"))
    assert photos(bulk.foreseen) == {"done": 2, "not_told": 1}, "the machine's decision is no ground truth"
    whole = working._get_on

    def stopped(*_args: Any) -> None:
        raise Cancelled

    monkeypatch.setattr(working, "_get_on", stopped)  # the chunk is done, and nobody wrote down how far it is
    with pytest.raises(Cancelled):
        on(world, bulk)
    monkeypatch.setattr(working, "_get_on", whole)
    bulk.refresh_from_db()
    assert BulkPhoto.objects.filter(outcome="done").count() == 2 and bulk.done == {}
    bulk = run(bulk)  # which finds the two no more
    assert photos(bulk.done) == {"done": 2, "not_told": 1}
    assert GroundTruth.objects.filter(kind="unusable").count() == 2


def test_what_was_called_unusable_is_again_what_it_was(world: World) -> None:
    later(world)  # long after a ruling can be undone
    item = world.settled
    bulk = on(world, run(asked(world, "unusable")))
    assert called(world, item) == (Status.UNUSABLE, "ruling")
    bulk = on(world, bulk, services.take_back)
    assert photos(bulk.undone) == {"done": 1}
    assert called(world, item) == (Status.SETTLED, "agreement")
    assert not Dispute.objects.open().filter(item=item).exists(), "nobody doubts what is restored"
    assert GroundTruth.objects.filter(item=item).count() == 4, "all of it is appended"


def test_photos_that_were_sent_back_leave_the_queue_again_unless_people_went_on(world: World) -> None:
    first, second = world.settled, untouched(world)
    answered(world, second, "functional", "functional")
    bulk = on(world, run(asked(world, "send_back")))
    assert Entry.objects.filter(item__in=[first, second], round=2).count() == 2
    truth.record_answer(
        project=world.project,
        labeler=make_member(world.project),
        key=bulk.pk,
        answer=truth.Answer("class", "defective"),
        viewing=truth.Viewing(item_id=second.pk, round=2, draw="rank", context={}, view_ms=900),
    )
    bulk = on(world, bulk, services.take_back)
    assert photos(bulk.undone) == {"done": 1, "already_answered": 1}
    assert called(world, first) == (Status.SETTLED, "agreement")
    assert not Entry.objects.filter(item=first).exists() and Entry.objects.filter(item=second).exists()


def test_asked_first_it_says_what_that_holds_up_and_is_in_turn_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = Entry.objects.filter(ranking__project=world.project, ranking__current=True)
    fresh, begun = (entries.filter(taken=taken).values_list("item", flat=True)[0] for taken in (0, 1))
    bulk = run(asked(world, "first"))
    told = world.client("admin").get(world.api(f"/bulk/{bulk.pk}")).json()
    assert told["flood"]["answers"] == 14 and told["flood"]["days"] > 0
    monkeypatch.setattr(working, "MOST_FIRST", 3)
    monkeypatch.setattr("labeling.explorer.bulk.asking.MOST_FIRST", 3)
    with pytest.raises(Refused) as refused:
        on(world, bulk)
    assert refused.value.code == "too_many"
    monkeypatch.undo()
    on(world, bulk)
    assert entries.get(item=fresh).position == entries.get(item=begun).position == ASKED_FIRST
    on(world, bulk, services.take_back)
    assert entries.get(item=fresh).position >= 0
    assert entries.get(item=begun).position == ASKED_FIRST, "what people began they finish"


def test_gold_is_made_of_untouched_photos_and_retired_again(world: World) -> None:
    fresh = untouched(world)
    bulk = on(world, run(asked(world, "gold")))
    assert Gold.objects.get(item=fresh).label_class.key == "functional"
    on(world, bulk, services.take_back)
    assert Gold.objects.get(item=fresh).retired_at is not None


def test_who_may_ask_for_what(world: World) -> None:
    for deed in ("first", "gold"):
        with pytest.raises(PermissionDenied):
            asked(world, deed, by=world.reviewer)
    bulk = run(asked(world, "unusable", by=world.reviewer))
    with pytest.raises(Refused) as other:
        on(world, bulk)
    assert other.value.code == "not_yours"
    for wrong in ({"search": ""}, {"search": "colour=red"}, {"search": "status=nice"}):
        with pytest.raises(Refused) as refused:
            asked(world, "unusable", **wrong)
        assert refused.value.status == 422


def test_page_and_api_lead_through_it(world: World) -> None:
    client = world.client("reviewer")
    made = client.post(
        reverse("photos-bulks", args=[world.project.slug]),
        {"deed": "unusable", "search": ALL, "comment": "Out of focus."},
    )
    bulk = run(Bulk.objects.exclude(pk=world.bulk.pk).get())
    page = client.get(made["Location"])
    assert "It would be done with 1 photo." in page.content.decode()
    assert "Do it with 1 photo" in page.content.decode()
    assert client.post(world.api(f"/bulk/{bulk.pk}/take-back")).status_code == 409
    told = client.post(world.api(f"/bulk/{bulk.pk}/go-on")).json()
    assert (told["stage"], told["foreseen"]) == ("doing", {"done": 1, "not_told": 9})
    assert client.post(world.api(f"/bulk/{bulk.pk}/stop")).status_code == 200
    bulk.refresh_from_db()
    assert bulk.stopped, "a job that waits never starts"
    assert client.post(world.api(f"/bulk/{bulk.pk}/go-on")).status_code == 200
    bulk.refresh_from_db()
    run(bulk)
    left = client.get(world.api(f"/bulk/{bulk.pk}/photos")).json()["results"]
    assert (
        len(left) == 9
        and {each["code"] for each in left} == {"not_told"}
        and all(each["why"] for each in left)
    )
    assert client.get(world.api("/bulk")).json()["results"][0]["id"] == str(bulk.pk)
    assert (
        "Call them unusable"
        in client.get(reverse("photos-bulks", args=[world.project.slug])).content.decode()
    )
