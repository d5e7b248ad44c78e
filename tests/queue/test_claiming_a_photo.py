"""Which photo a labeler gets, and to whom else it goes."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.queue import services
from labeling.queue.models import BandOpening, Entry, Slot
from labeling.queue.places import ARRIVALS
from labeling.queue.selectors import queue_state
from labeling.refusals import Refused
from labeling.truth.models import Draw
from labeling.truth.services import add_gold
from tests.factories import make_items
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


def claim(setting: Setting, who: str = "ann", count: int = 1, seed: int = 0) -> list[Slot]:
    return services.claim(
        project=setting.project, labeler=getattr(setting, who), count=count, dice=random.Random(seed)
    )


def expire(slot: Slot) -> None:
    past = timezone.now() - timedelta(seconds=5)
    Slot.objects.filter(pk=slot.pk).update(leased_at=past - timedelta(seconds=60), expires_at=past)


def test_the_outermost_band_comes_first_and_in_order(setting: Setting) -> None:
    held = claim(setting, count=4)
    assert [slot.item_id for slot in held] == [item.pk for item in setting.items[:4]]


def test_claiming_again_returns_the_same_leases(setting: Setting) -> None:
    first = claim(setting, count=3)
    again = claim(setting, count=3)
    assert [slot.pk for slot in first] == [slot.pk for slot in again]
    assert Slot.objects.count() == 3


def test_a_second_labeler_completes_what_the_first_has_begun(setting: Setting) -> None:
    mine = claim(setting, "ann", 2)
    theirs = claim(setting, "bob", 2)
    assert {slot.item_id for slot in mine} == {slot.item_id for slot in theirs}
    assert {slot.number for slot in mine + theirs} == {0, 1}


def test_nobody_gets_a_photo_again_that_they_answered(setting: Setting) -> None:
    seen = set()
    for _ in range(30):
        slot = claim(setting)[0]
        assert slot.item_id not in seen
        seen.add(slot.item_id)
        answer_with(setting.project, slot)
    assert claim(setting) == []
    assert queue_state(setting.project, setting.ann)["state"] == "empty"


def test_an_expired_lease_goes_to_somebody_else_and_the_old_one_is_refused(setting: Setting) -> None:
    slot = claim(setting)[0]
    expire(slot)
    taken = claim(setting, "bob")[0]
    assert taken.item_id == slot.item_id and taken.pk != slot.pk
    with pytest.raises(Refused) as refusal:
        answer_with(setting.project, slot)
    assert refusal.value.code == "lease_expired"
    assert answer_with(setting.project, taken).created


def test_an_expired_lease_still_counts_while_nobody_else_has_the_photo(setting: Setting) -> None:
    slot = claim(setting)[0]
    expire(slot)
    assert answer_with(setting.project, slot).created


def test_a_skipped_photo_goes_to_others_and_never_comes_back(setting: Setting) -> None:
    slot = claim(setting)[0]
    services.skip(project=setting.project, labeler=setting.ann, lease=slot.pk)
    services.skip(project=setting.project, labeler=setting.ann, lease=slot.pk)
    entry = Entry.objects.get(item=slot.item_id)
    assert (entry.taken, entry.free, entry.first_holder) == (0, 2, None)
    assert claim(setting)[0].item_id != slot.item_id
    assert claim(setting, "bob", 2)[-1].item_id == slot.item_id or slot.item_id in {
        s.item_id for s in claim(setting, "bob", 2)
    }


def test_a_released_photo_may_come_again(setting: Setting) -> None:
    slot = claim(setting)[0]
    services.release(project=setting.project, labeler=setting.ann, lease=slot.pk)
    services.release(project=setting.project, labeler=setting.ann, lease=slot.pk)
    assert claim(setting)[0].item_id == slot.item_id


def test_an_undone_answer_puts_the_same_photo_on_loan_again(setting: Setting) -> None:
    slot = claim(setting)[0]
    submission = answer_with(setting.project, slot)
    for _ in range(2):
        back = services.undo(project=setting.project, labeler=setting.ann, key=submission.annotation.key)
        assert back.item_id == slot.item_id
    assert claim(setting)[0].item_id == slot.item_id
    second = answer_with(setting.project, claim(setting)[0], "defective")
    assert second.created and second.annotation.replaces.annotation == submission.annotation


def test_an_exhausted_band_opens_the_next_one(setting: Setting) -> None:
    setting.project.boundary_after = 1000
    setting.project.save()
    for _ in range(12):
        answer_with(setting.project, claim(setting)[0])
    assert Entry.objects.get(item=claim(setting)[0].item_id).band == 1


def test_a_claim_of_several_photos_opens_one_band_only(setting: Setting) -> None:
    setting.project.boundary_after = 1000
    setting.project.save()
    for _ in range(9):
        answer_with(setting.project, claim(setting)[0])
    held = claim(setting, count=5)
    bands = dict(Entry.objects.values_list("item_id", "band"))
    assert [bands[slot.item_id] for slot in held] == [0, 1, 1, 1, 1]
    assert list(BandOpening.objects.values_list("band", flat=True)) == [1]


def test_photos_that_arrive_later_wait_behind_the_ranked_ones(setting: Setting) -> None:
    new = make_items(setting.project, 2)
    services.append_arrivals(project=setting.project, item_ids=[item.pk for item in new])
    assert set(Entry.objects.filter(item__in=new).values_list("band", flat=True)) == {ARRIVALS}
    order = [slot.item_id for slot in claim(setting, count=32)]
    assert set(order[-2:]) == {item.pk for item in new}


def test_gold_is_asked_at_its_rate_and_uses_up_no_wanted_answer(setting: Setting) -> None:
    setting.project.gold_rate = 1.0
    setting.project.save()
    gold = setting.items[-1]
    add_gold(project=setting.project, item=gold, class_key="functional", by=setting.project.created_by)
    slot = claim(setting)[0]
    assert (slot.item_id, slot.draw, slot.number) == (gold.pk, Draw.GOLD, None)
    answer_with(setting.project, slot)
    assert claim(setting)[0].draw == Draw.RANK, "each gold photo is asked once a person"


def test_the_audit_is_a_uniform_draw_and_is_remembered(setting: Setting) -> None:
    setting.project.audit_rate = 1.0
    setting.project.save()
    by_key = sorted(setting.items, key=lambda item: item.random_key)
    held = claim(setting, count=3)
    assert [slot.item_id for slot in held] == [item.pk for item in by_key[:3]]
    assert {slot.draw for slot in held} == {Draw.AUDIT}
    pair = claim(setting, "bob", 1)[0]
    assert pair.draw == Draw.AUDIT, "the draw goes with the photo, not with the person"


def test_the_audit_counts_photos_that_people_already_answered_without_asking_again(setting: Setting) -> None:
    by_key = sorted(setting.items, key=lambda item: item.random_key)
    Entry.objects.filter(item=by_key[0]).update(position=-5, band=0)
    first = claim(setting)[0]
    assert first.item_id == by_key[0].pk
    answer_with(setting.project, first)
    setting.project.audit_rate = 1.0
    setting.project.save()
    assert claim(setting)[0].item_id == by_key[1].pk
    by_key[0].refresh_from_db()
    assert by_key[0].audit_drawn_at is not None


def test_claims_keep_leases_alive(setting: Setting) -> None:
    slot = claim(setting)[0]
    soon = timezone.now() + timedelta(seconds=3)
    Slot.objects.filter(pk=slot.pk).update(expires_at=soon)
    claim(setting)
    slot.refresh_from_db()
    assert slot.expires_at > soon + timedelta(seconds=100)
