"""A photo that is first asked in the boundary band gets more answers; where they differ it is held, and nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.models import Item, Role
from labeling.catalog.services import update_settings
from labeling.people.models import User
from labeling.queue import priority, services
from labeling.queue.models import BandOpening, Entry, Slot
from labeling.queue.ranking import swap_in
from labeling.queue.selectors import progress
from labeling.truth import services as truth
from labeling.truth.current import open_dispute, truth_in_force
from labeling.truth.filtering import Wanted
from labeling.truth.models import Dispute
from labeling.truth.selectors import open_disputes
from tests.factories import make_member
from tests.queue.conftest import Setting, answer_with, rank_by_hand

People = list[User]


@pytest.fixture
def there(setting: Setting) -> tuple[Setting, People]:
    """Two answers a photo, three at the boundary, which the queue has reached; nothing is drawn."""
    setting.project = update_settings(
        project=setting.project, by=setting.project.created_by, boundary_answers=3, audit_rate=0.0
    )
    BandOpening.objects.create(project=setting.project, band=2, cause=BandOpening.Cause.ADMIN)
    return setting, [setting.ann, setting.bob, make_member(setting.project)]


def take(setting: Setting, person: User) -> Slot:
    return services.claim(project=setting.project, labeler=person, count=1)[0]


def answer(setting: Setting, person: User, choice: str = "functional", **more: Any) -> Slot:
    slot = take(setting, person)
    answer_with(setting.project, slot, choice, **more)
    return slot


def counts(setting: Setting, item_id: int) -> tuple[int, int]:
    found = Entry.objects.get(ranking__project=setting.project, ranking__current=True, item=item_id)
    return found.taken, found.free


def again(setting: Setting, items: list[Item]) -> None:
    """Another order, in which ``items`` are ranked from the outermost."""
    old, new = setting.ranking, rank_by_hand(setting.project, items)
    type(new).objects.filter(pk=new.pk).update(current=False)
    type(old).objects.filter(pk=old.pk).update(current=True)
    swap_in(ranking=new, read_at=timezone.now())
    setting.ranking = new


@pytest.mark.parametrize("usual", [1, 2])
def test_three_answers_alike_settle_a_photo_of_the_boundary(
    there: tuple[Setting, People], usual: int
) -> None:
    setting, people = there
    setting.project.answers_per_image = usual
    setting.project.save()
    Entry.objects.filter(ranking=setting.ranking).update(free=usual)
    item, other = (answer(setting, person).item_id for person in people[:2])
    assert item == other and truth_in_force(item) is None
    assert counts(setting, item) == (2, 1)
    assert answer(setting, people[2]).item_id == item
    found = truth_in_force(item)
    assert found is not None and found.origin == "agreement"


def test_two_who_hold_it_at_once_do_not_settle_it(there: tuple[Setting, People]) -> None:
    setting, people = there
    mine, theirs = (take(setting, person) for person in people[:2])
    assert mine.item_id == theirs.item_id
    for slot in (mine, theirs):
        answer_with(setting.project, slot)
    assert truth_in_force(mine.item_id) is None and counts(setting, mine.item_id) == (2, 1)


def test_outside_of_the_boundary_two_are_enough(there: tuple[Setting, People]) -> None:
    setting, people = there
    BandOpening.objects.create(project=setting.project, band=0, cause=BandOpening.Cause.ADMIN)
    first, second = (answer(setting, person) for person in people[:2])
    assert first.item_id == second.item_id and "boundary" not in first.context
    assert truth_in_force(first.item_id) is not None


@pytest.mark.parametrize("said", [{"choice": "defective"}, {"kind": "hold", "reason": "between"}])
def test_where_answers_differ_it_is_held_and_no_reviewer_is_asked(
    there: tuple[Setting, People], said: dict[str, str]
) -> None:
    setting, people = there
    item = answer(setting, people[0]).item_id
    answer(setting, people[1], **said)
    dispute = open_dispute(item)
    assert dispute is not None and dispute.held
    assert truth_in_force(item) is None, "it does not train"
    assert not open_disputes(setting.project).exists()
    assert progress(setting.project)["open_disputes"] == 0
    assert progress(setting.project)["held_disputes"] == 1
    assert take(setting, people[2]).item_id != item, "and nobody else is asked"

    reviewer = make_member(setting.project, Role.REVIEWER)
    assert not Wanted().rulable(setting.project, reviewer).exists()
    assert Wanted(held=True).rulable(setting.project, reviewer).get() == dispute
    truth.rule(
        project=setting.project,
        dispute_id=dispute.pk,
        reviewer=reviewer,
        outcome="class",
        class_key="functional",
    )
    found = truth_in_force(item)
    assert found is not None and found.origin == "ruling"


def test_what_is_drawn_after_it_was_held_waits_for_a_ruling(there: tuple[Setting, People]) -> None:
    setting, people = there
    item = answer(setting, people[0]).item_id
    answer(setting, people[1], "defective")
    Item.objects.filter(pk=item).update(random_key=-1.0)
    priority.draw_for_audit(project=setting.project, count=1)
    assert open_disputes(setting.project).get().item_id == item
    assert not open_disputes(setting.project, held=True).exists()
    assert Item.objects.get(pk=item).answers_wanted == 3, "no fewer than were asked for"


def test_what_is_drawn_is_asked_and_ruled_on_as_everywhere(there: tuple[Setting, People]) -> None:
    setting, people = there
    item = setting.items[-1]
    Item.objects.filter(pk=item.pk).update(random_key=-1.0)
    priority.draw_for_audit(project=setting.project, count=1)
    slots = [
        answer(setting, person, choice)
        for person, choice in zip(people, ("functional", "defective"), strict=False)
    ]
    assert {slot.item_id for slot in slots} == {item.pk} and "boundary" not in slots[0].context
    assert open_disputes(setting.project).get().item_id == item.pk
    assert Item.objects.get(pk=item.pk).answers_wanted is None


def test_drawn_while_it_is_on_loan_it_is_not_held(there: tuple[Setting, People]) -> None:
    setting, people = there
    mine, theirs = (take(setting, person) for person in people[:2])
    Item.objects.filter(pk=mine.item_id).update(audit_drawn_at=timezone.now())
    answer_with(setting.project, mine)
    answer_with(setting.project, theirs, "defective")
    dispute = open_dispute(mine.item_id)
    assert dispute is not None and not dispute.held


def test_as_many_are_ruled_on_all_the_same_as_are_drawn(there: tuple[Setting, People]) -> None:
    """So that reviewers cannot tell by what they see which photos the audit drew."""
    setting, people = there
    setting.project.audit_rate = 1.0
    setting.project.gold_rate = 0.0
    setting.project.save()
    Item.objects.update(audit_drawn_at=timezone.now())
    Item.objects.filter(pk__in=[item.pk for item in setting.items[-10:]]).update(audit_drawn_at=None)
    slots = [take(setting, person) for person in people[:2]]
    Item.objects.update(audit_drawn_at=None)
    for slot, choice in zip(slots, ("functional", "defective"), strict=True):
        Slot.objects.filter(pk=slot.pk).update(context=slot.context | {"boundary": 3}, draw="rank")
        answer_with(setting.project, slot, choice)
    assert not open_dispute(slots[0].item_id).held  # type: ignore[union-attr]


@pytest.mark.parametrize("moved", ["outward", "inward"])
def test_another_order_loses_and_doubles_nothing_of_what_was_begun(
    there: tuple[Setting, People], moved: str
) -> None:
    """Whoever is asked at the boundary first says how many it gets, be that the first answer or a later one."""
    setting, people = there
    if moved == "inward":
        BandOpening.objects.create(project=setting.project, band=0, cause=BandOpening.Cause.ADMIN)
    item = answer(setting, people[0]).item_id
    wanted = 3 if moved == "outward" else 2
    assert sum(counts(setting, item)) == wanted
    again(setting, setting.items[::-1])
    assert counts(setting, item) == (1, wanted - 1)
    assert answer(setting, people[1]).item_id == item
    assert truth_in_force(item) is None and counts(setting, item) == (2, 1)
    assert answer(setting, people[2]).item_id == item
    assert truth_in_force(item) is not None


def test_an_undo_keeps_what_is_wanted_and_the_rule_may_change_meanwhile(
    there: tuple[Setting, People],
) -> None:
    setting, people = there
    slot = take(setting, people[0])
    key = answer_with(setting.project, slot).annotation.key
    update_settings(project=setting.project, by=setting.project.created_by, boundary_answers=0)
    services.undo(project=setting.project, labeler=people[0], key=key)
    assert counts(setting, slot.item_id) == (1, 2)
    answer_with(setting.project, Slot.objects.get(pk=slot.pk))
    setting.project.refresh_from_db()
    assert answer(setting, people[1]).item_id == slot.item_id
    assert truth_in_force(slot.item_id) is None


def test_a_labeler_is_told_nothing_of_it(there: tuple[Setting, People], client: Client) -> None:
    setting, people = there
    client.force_login(people[0])
    at_boundary = client.post(
        reverse("api-claims", args=[setting.project.slug]), {"count": 1}, "application/json"
    )
    BandOpening.objects.create(project=setting.project, band=0, cause=BandOpening.Cause.ADMIN)
    client.force_login(people[2])
    outside = client.post(
        reverse("api-claims", args=[setting.project.slug]), {"count": 1}, "application/json"
    )

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(each) for name, each in value.items()}
        return [shape(each) for each in value] if isinstance(value, list) else type(value)

    assert shape(at_boundary.json()) == shape(outside.json())
    assert "boundary" not in at_boundary.content.decode() and "wanted" not in at_boundary.content.decode()


def test_reviewers_list_what_is_held_when_they_ask_for_it(
    there: tuple[Setting, People], client: Client
) -> None:
    setting, people = there
    item = answer(setting, people[0]).item_id
    answer(setting, people[1], "defective")
    client.force_login(make_member(setting.project, Role.REVIEWER))
    address = reverse("api-disputes", args=[setting.project.slug])
    assert client.get(address).json()["results"] == []
    (held,) = client.get(address, {"held": "1"}).json()["results"]
    assert held["id"] == str(open_dispute(item).pk)  # type: ignore[union-attr]
    assert client.get(address, {"held": "perhaps"}).status_code == 422
    page = reverse("review", args=[setting.project.slug])
    assert "Held at the boundary" in client.get(page).content.decode()
    assert held["id"] in client.get(page, {"held": "1"}).content.decode()


def test_without_the_rule_all_is_as_ever(setting: Setting) -> None:
    BandOpening.objects.create(project=setting.project, band=2, cause=BandOpening.Cause.ADMIN)
    mine = take(setting, setting.ann)
    theirs = take(setting, setting.bob)
    assert mine.item_id == theirs.item_id and "boundary" not in mine.context and mine.context["wanted"] == 2
    answer_with(setting.project, mine)
    answer_with(setting.project, theirs, "defective")
    assert not Dispute.objects.get().held
