"""Photos that are drawn at random get more blind answers than others, where their project says so."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.catalog.models import Item
from labeling.catalog.services import update_settings
from labeling.people.models import User
from labeling.queue import priority, services
from labeling.queue.models import Entry
from labeling.queue.ranking import swap_in
from labeling.truth import services as truth
from labeling.truth.current import open_dispute, truth_in_force
from tests.factories import make_member
from tests.queue.conftest import Setting, answer_with, rank_by_hand


@pytest.fixture
def three(setting: Setting) -> tuple[Setting, list[User]]:
    """Two answers a photo, three of each that is drawn; as many people."""
    setting.project = update_settings(
        project=setting.project, by=setting.project.created_by, certifying_answers=3
    )
    return setting, [setting.ann, setting.bob, make_member(setting.project)]


def draw(setting: Setting, item: Item, *, how: str = "walk") -> None:
    if how == "walk":
        Item.objects.filter(pk=item.pk).update(random_key=-1.0)
        priority.draw_for_audit(project=setting.project, count=1)
    else:
        priority.ask_as_drawn(project=setting.project, item_ids=[item.pk])
        priority.ask_first(project=setting.project, item_ids=[item.pk])


def answer_all(setting: Setting, item: Item, said: list[tuple[User, str]]) -> None:
    for person, choice in said:
        held = services.claim(project=setting.project, labeler=person, count=1)
        [slot] = [each for each in held if each.item_id == item.pk]
        answer_with(setting.project, slot, choice)


def wanted(setting: Setting, item: Item) -> int:
    found = Entry.objects.get(ranking__project=setting.project, ranking__current=True, item=item)
    return found.taken + found.free


@pytest.mark.parametrize("how", ["walk", "for a band"])
def test_a_drawn_photo_is_settled_by_as_many_as_the_project_asks_for(
    three: tuple[Setting, list[User]], how: str
) -> None:
    setting, (ann, bob, cleo) = three
    item = setting.items[0]
    draw(setting, item, how=how)
    assert wanted(setting, item) == 3
    answer_all(setting, item, [(ann, "functional"), (bob, "functional")])
    assert truth_in_force(item.pk) is None and wanted(setting, item) == 3
    answer_all(setting, item, [(cleo, "functional")])
    found = truth_in_force(item.pk)
    assert found is not None and found.origin == "agreement"


def test_a_claim_that_draws_asks_as_many(three: tuple[Setting, list[User]]) -> None:
    setting, people = three
    setting.project.audit_rate = 1.0
    setting.project.save()
    [slot] = services.claim(project=setting.project, labeler=people[0], count=1)
    item = Item.objects.get(pk=slot.item_id)
    assert item.audit_drawn_at is not None and item.answers_wanted == 3
    answer_with(setting.project, slot)
    assert wanted(setting, item) == 3


def test_whoever_differs_sends_it_to_review_or_is_overruled_by_a_majority(
    three: tuple[Setting, list[User]],
) -> None:
    setting, (ann, bob, cleo) = three
    strict, easy = setting.items[:2]
    draw(setting, strict)
    answer_all(setting, strict, [(ann, "functional"), (bob, "defective")])
    assert open_dispute(strict.pk) is not None
    setting.project = update_settings(
        project=setting.project, by=setting.project.created_by, rule="k_of_n", agreement_k=1
    )
    draw(setting, easy, how="for a band")
    answer_all(setting, easy, [(ann, "functional"), (bob, "defective")])
    assert truth_in_force(easy.pk) is None, "one of two is enough elsewhere, and here no majority"
    answer_all(setting, easy, [(cleo, "defective")])
    found = truth_in_force(easy.pk)
    assert found is not None and found.label_class is not None and found.label_class.key == "defective"


def test_other_photos_are_asked_as_ever(three: tuple[Setting, list[User]]) -> None:
    setting, (ann, bob, _cleo) = three
    item = setting.items[0]
    answer_all(setting, item, [(ann, "functional"), (bob, "functional")])
    assert truth_in_force(item.pk) is not None


def test_drawn_after_two_began_it_waits_for_the_third(three: tuple[Setting, list[User]]) -> None:
    setting, (ann, bob, cleo) = three
    item = setting.items[0]
    [mine] = services.claim(project=setting.project, labeler=ann, count=1)
    [theirs] = services.claim(project=setting.project, labeler=bob, count=1)
    assert mine.item_id == theirs.item_id == item.pk
    draw(setting, item)
    answer_with(setting.project, mine)
    answer_with(setting.project, theirs)
    assert truth_in_force(item.pk) is None and wanted(setting, item) == 3
    answer_all(setting, item, [(cleo, "functional")])
    assert truth_in_force(item.pk) is not None


def test_another_order_an_undo_and_a_withdrawal_keep_what_is_wanted(
    three: tuple[Setting, list[User]],
) -> None:
    setting, (ann, bob, _cleo) = three
    item = setting.items[0]
    draw(setting, item)
    [slot] = services.claim(project=setting.project, labeler=ann, count=1)
    given = answer_with(setting.project, slot).annotation
    old = setting.ranking
    new = rank_by_hand(setting.project, setting.items)
    type(new).objects.filter(pk=new.pk).update(current=False)
    type(old).objects.filter(pk=old.pk).update(current=True)
    swap_in(ranking=new, read_at=timezone.now())
    assert wanted(setting, item) == 3
    services.undo(project=setting.project, labeler=ann, key=given.key)
    assert wanted(setting, item) == 3
    answer_with(setting.project, type(slot).objects.get(pk=slot.pk))
    answer_all(setting, item, [(bob, "functional")])
    assert truth_in_force(item.pk) is None


def test_a_dispute_is_not_settled_by_two_of_them_when_classes_are_merged(
    three: tuple[Setting, list[User]],
) -> None:
    setting, (ann, bob, _cleo) = three
    item = setting.items[0]
    draw(setting, item)
    answer_all(setting, item, [(ann, "functional"), (bob, "defective")])
    update_settings(project=setting.project, by=setting.project.created_by, rule="k_of_n", agreement_k=1)
    assert truth_in_force(item.pk) is None and open_dispute(item.pk) is not None
    truth.reconsider(project=setting.project, item_ids=[item.pk])
    assert open_dispute(item.pk) is not None


def test_what_was_drawn_before_the_choice_or_without_it_wants_no_more(setting: Setting) -> None:
    draw(setting, setting.items[0])
    assert Item.objects.get(pk=setting.items[0].pk).answers_wanted is None
    with CaptureQueriesContext(connection) as caught:
        priority.ask_as_drawn(project=setting.project, item_ids=[setting.items[1].pk])
    assert not [each for each in caught.captured_queries if "SAVEPOINT" not in each["sql"]]
    update_settings(project=setting.project, by=setting.project.created_by, certifying_answers=2)
    draw(setting, setting.items[2])
    assert Item.objects.get(pk=setting.items[2].pk).answers_wanted is None, "all photos get two"
