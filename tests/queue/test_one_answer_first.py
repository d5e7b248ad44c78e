"""A photo that one answer may settle is lent to one person first, and to the others when it did not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from labeling.catalog.models import Item
from labeling.people.models import User
from labeling.queue import pace, priority, services
from labeling.queue.models import Entry, Slot
from labeling.queue.ranking import swap_in
from labeling.truth import services as truth
from labeling.truth.current import truth_in_force
from labeling.truth.events import answer_waits
from labeling.truth.models import Annotation
from tests.factories import make_member
from tests.queue.conftest import Setting, answer_with, rank_by_hand


@pytest.fixture
def agreeing() -> Iterator[None]:
    """Of every answer "functional" somebody proved that it is right: such a one settles its photo."""

    def listener(project: Any, annotation: Annotation, **_: Any) -> None:
        if annotation.label_class is not None and annotation.label_class.key == "functional":
            truth.settle_by_answer(project=project, annotation=annotation)

    answer_waits.connect(listener)
    yield
    answer_waits.disconnect(listener)


def offer_all(setting: Setting) -> int:
    return services.offer_once(project=setting.project, item_ids=[item.pk for item in setting.items])


def take(setting: Setting, person: User) -> Slot:
    [slot] = services.claim(project=setting.project, labeler=person, count=1)
    return slot


def entry(setting: Setting, item_id: int) -> Entry | None:
    return Entry.objects.filter(ranking__project=setting.project, ranking__current=True, item=item_id).first()


def counts(setting: Setting, item_id: int) -> tuple[int, int]:
    found = entry(setting, item_id)
    assert found is not None
    return found.taken, found.free


def test_a_photo_that_is_offered_once_goes_to_one_person_until_they_answer(setting: Setting) -> None:
    assert offer_all(setting) == 30
    mine, others = take(setting, setting.ann), take(setting, setting.bob)
    assert mine.item_id != others.item_id, "without it, bob would complete what ann has begun"
    answer_with(setting.project, mine)
    assert counts(setting, mine.item_id) == (1, 1)
    answer_with(setting.project, others)
    assert take(setting, setting.bob).item_id == mine.item_id


def test_an_answer_that_settles_asks_nobody_else(setting: Setting, agreeing: None) -> None:
    offer_all(setting)
    mine = take(setting, setting.ann)
    answer_with(setting.project, mine)
    assert entry(setting, mine.item_id) is None
    found = truth_in_force(mine.item_id)
    assert found is not None and found.origin == "assisted"
    assert Slot.objects.filter(item=mine.item_id).count() == 1


def test_what_people_began_what_was_drawn_and_what_was_sent_back_is_asked_as_ever(setting: Setting) -> None:
    begun = take(setting, setting.ann).item_id
    drawn, sent_back, twice = (item.pk for item in setting.items[5:8])
    Item.objects.filter(pk=drawn).update(audit_drawn_at=timezone.now())
    Entry.objects.filter(ranking=setting.ranking, item=sent_back).update(round=2)
    assert services.offer_once(project=setting.project, item_ids=[begun, drawn, sent_back, twice, twice]) == 1
    assert counts(setting, begun) == (1, 1)
    assert counts(setting, drawn) == counts(setting, sent_back) == (0, 2)
    assert services.offer_once(project=setting.project, item_ids=[twice]) == 0, "offered already"
    assert services.offer_once(project=setting.project, item_ids=[]) == 0


def give_up(setting: Setting, slot: Slot) -> None:
    services.release(project=setting.project, labeler=slot.holder, lease=slot.pk)


def skip(setting: Setting, slot: Slot) -> None:
    services.skip(project=setting.project, labeler=slot.holder, lease=slot.pk)


def skip_and_take_back(setting: Setting, slot: Slot) -> None:
    skip(setting, slot)
    services.unskip(project=setting.project, labeler=slot.holder, lease=slot.pk)
    give_up(setting, slot)


@pytest.mark.parametrize("leave", [give_up, skip, skip_and_take_back])
def test_given_back_it_still_wants_one_answer_first(
    setting: Setting, leave: Callable[[Setting, Slot], None]
) -> None:
    offer_all(setting)
    mine = take(setting, setting.ann)
    leave(setting, mine)
    assert counts(setting, mine.item_id) == (0, 1)
    theirs = take(setting, setting.bob)
    assert theirs.item_id == mine.item_id and counts(setting, mine.item_id) == (1, 0)


def test_a_lease_that_ran_out_goes_to_the_next_and_to_no_second(setting: Setting) -> None:
    offer_all(setting)
    mine = take(setting, setting.ann)
    past = timezone.now() - timedelta(seconds=5)
    Slot.objects.filter(pk=mine.pk).update(leased_at=past, expires_at=past)
    assert take(setting, setting.bob).item_id == mine.item_id
    assert counts(setting, mine.item_id) == (1, 0)


def test_another_order_leaves_a_photo_with_the_one_who_holds_it(setting: Setting) -> None:
    offer_all(setting)
    held, answered = services.claim(project=setting.project, labeler=setting.ann, count=2)
    answer_with(setting.project, answered)
    again(setting)
    assert counts(setting, held.item_id) == (1, 0)
    assert counts(setting, answered.item_id) == (1, 1)
    fresh = next(item.pk for item in setting.items if item.pk not in {held.item_id, answered.item_id})
    assert counts(setting, fresh) == (0, 2), "whoever certifies offers again"
    answer_with(setting.project, held)
    assert counts(setting, held.item_id) == (1, 1)


def again(setting: Setting) -> None:
    old = setting.ranking
    new = rank_by_hand(setting.project, setting.items)
    type(new).objects.filter(pk=new.pk).update(current=False)
    type(old).objects.filter(pk=old.pk).update(current=True)
    swap_in(ranking=new, read_at=timezone.now())
    setting.ranking = new


def test_undone_it_is_with_its_labeler_again_and_never_lost(setting: Setting, agreeing: None) -> None:
    offer_all(setting)
    mine = take(setting, setting.ann)
    key = answer_with(setting.project, mine).annotation.key
    services.undo(project=setting.project, labeler=setting.ann, key=key)
    assert truth_in_force(mine.item_id) is None
    assert counts(setting, mine.item_id) == (1, 1)
    answer_with(setting.project, mine, "defective")
    assert counts(setting, mine.item_id) == (1, 1)
    assert take(setting, setting.bob).item_id == mine.item_id


def test_withdrawn_it_waits_for_its_second_person(setting: Setting, agreeing: None) -> None:
    offer_all(setting)
    mine = take(setting, setting.ann)
    answer_with(setting.project, mine)
    assert truth.withdraw_assisted(project=setting.project, item_ids=[mine.item_id]) == 1
    assert counts(setting, mine.item_id) == (1, 1)
    assert mine.item_id not in {
        slot.item_id for slot in services.claim(project=setting.project, labeler=setting.ann, count=20)
    }
    theirs = take(setting, setting.bob)
    assert theirs.item_id == mine.item_id
    answer_with(setting.project, theirs)
    found = truth_in_force(mine.item_id)
    assert found is not None and found.origin == "agreement"


def test_who_held_the_second_place_still_answers(setting: Setting, agreeing: None) -> None:
    mine, theirs = take(setting, setting.ann), take(setting, setting.bob)
    assert mine.item_id == theirs.item_id
    answer_with(setting.project, mine)
    assert entry(setting, mine.item_id) is None
    answer_with(setting.project, theirs)
    found = truth_in_force(mine.item_id)
    assert found is not None and found.origin == "agreement"


def test_what_the_machine_decided_and_gave_back_is_asked_once_or_by_all_but_never_by_nobody(
    setting: Setting,
) -> None:
    offer_all(setting)
    ids = [item.pk for item in setting.items]
    priority.withdraw(project=setting.project, item_ids=ids)
    assert services.claim(project=setting.project, labeler=setting.ann, count=1) == []
    priority.restore(project=setting.project, item_ids=ids)
    mine = take(setting, setting.ann)
    answer_with(setting.project, mine)
    assert counts(setting, mine.item_id) == (1, 1)


def test_an_answer_under_a_rule_that_asks_for_more_since_wants_them_all(setting: Setting) -> None:
    mine, theirs = take(setting, setting.ann), take(setting, setting.bob)
    setting.project.answers_per_image = 3
    setting.project.save()
    answer_with(setting.project, mine)
    assert counts(setting, mine.item_id) == (2, 1)
    answer_with(setting.project, theirs)
    assert take(setting, make_member(setting.project)).item_id == mine.item_id


@pytest.mark.parametrize("draw", ["by a claim", "by an admin"])
def test_a_photo_that_is_drawn_at_random_gets_its_second_person(
    setting: Setting, agreeing: None, draw: str
) -> None:
    """One answer is no word that counts, and the random sample would end at it."""
    offer_all(setting)
    mine = take(setting, setting.ann)
    answer_with(setting.project, mine)
    Item.objects.filter(pk=mine.item_id).update(random_key=-1.0)
    if draw == "by a claim":
        setting.project.audit_rate = 1.0
        setting.project.save()
        take(setting, setting.ann)
    else:
        priority.draw_for_audit(project=setting.project, count=1)
    assert Item.objects.get(pk=mine.item_id).audit_drawn_at is not None
    assert truth_in_force(mine.item_id) is None and counts(setting, mine.item_id) == (1, 1)
    theirs = take(setting, setting.bob)
    assert theirs.item_id == mine.item_id
    answer_with(setting.project, theirs)
    found = truth_in_force(mine.item_id)
    assert found is not None and (found.origin, found.draw) == ("agreement", "audit")


def test_whoever_is_asked_alone_first_is_told_apart_from_a_pair(setting: Setting) -> None:
    offer_all(setting)
    mine = take(setting, setting.ann)
    alone = answer_with(setting.project, mine, "defective").annotation
    second = answer_with(setting.project, take(setting, setting.bob)).annotation
    assert (alone.context["wanted"], second.context["wanted"]) == (1, 2)


def test_the_pace_counts_what_one_answer_settled_among_what_needed_no_ruling(
    setting: Setting, agreeing: None
) -> None:
    offer_all(setting)
    for _photo in range(3):
        answer_with(setting.project, take(setting, setting.ann))
    differs = take(setting, setting.ann)
    answer_with(setting.project, differs, "defective")
    answer_with(setting.project, take(setting, setting.bob))
    progress = pace.band_progress(setting.project)
    assert (progress.agreed, progress.disputed, progress.agreement) == (3, 1, 0.75)
