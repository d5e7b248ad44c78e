"""Grids of one predicted class: what enters them, what an answer counts for, and what a missed check photo undoes."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling.catalog.models import Item, Project
from labeling.people.models import User
from labeling.queue import priority, services
from labeling.queue.models import Entry, Ranking, Slot, Sweep, SweepHandIn, SweepPhoto
from labeling.queue.sweeps.selectors import Grid, sweep_state
from labeling.queue.sweeps.services import Mark, claim_sweep, release_sweep, take_back
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth.current import pause_of
from labeling.truth.gold import gold_page, gold_record
from labeling.truth.models import Annotation, Dispute, Draw, GroundTruth, SweepCheck
from labeling.truth.quality.agreement import agreement
from tests.factories import make_member
from tests.queue.conftest import answer_with
from tests.queue.sweeps import ALL_LADDERS, Field, kept_field, planted, real


@pytest.fixture
def field(db: None) -> Field:
    return kept_field()


def entry(field: Field, item_id: int) -> Entry:
    return Entry.objects.get(ranking=field.ranking, item=item_id)


# -- what enters a grid ----------------------------------------------------------------------------------------


def test_a_grid_holds_the_outer_bands_photos_of_one_predicted_class_and_gold_of_another(field: Field) -> None:
    grid = field.claim(field.ann)
    shown = Entry.objects.filter(ranking=field.ranking, item__in=[photo.item_id for photo in real(grid)])
    assert {each.band for each in shown} == {0}
    assert {each.ladder_id for each in shown} == {grid.sweep.label_class_id}
    assert grid.sweep.label_class.key == "functional"
    assert {photo.item_id for photo in planted(grid)} <= {item.pk for item in field.gold["defective"]}
    assert 1 <= len(planted(grid)) <= 2
    assert len(real(grid)) == 15


def test_planted_photos_stand_anywhere_and_look_like_any_other(field: Field) -> None:
    places = {place for n in range(6) for place in _planted_places(field, n)}
    assert len(places) > 2


def _planted_places(field: Field, seed: int) -> list[int]:
    labeler = make_member(field.project)
    grid = claim_sweep(project=field.project, labeler=labeler, prefer="functional", dice=random.Random(seed))
    assert grid is not None
    release_sweep(project=field.project, labeler=labeler, sweep_id=grid.sweep.pk)
    return [photo.place for photo in planted(grid)]


def test_asking_again_returns_the_same_grid(field: Field) -> None:
    first = field.claim(field.ann)
    again = field.claim(field.ann, prefer="defective")
    assert again.sweep.pk == first.sweep.pk
    assert [photo.pk for photo in again.photos] == [photo.pk for photo in first.photos]


def test_the_database_allows_one_open_grid_a_person(field: Field) -> None:
    sweep = field.claim(field.ann).sweep
    with pytest.raises(IntegrityError), transaction.atomic():
        Sweep.objects.create(
            project=field.project,
            labeler=field.ann,
            label_class=sweep.label_class,
            model_version=field.model,
            band=0,
        )


def test_two_people_never_hold_the_same_wanted_answer(field: Field) -> None:
    grids = [field.claim(field.ann), field.claim(field.bob)]
    shown = [photo.item_id for grid in grids for photo in real(grid)]
    assert len(shown) == len(set(shown))
    lent = Slot.objects.filter(project=field.project, number__isnull=False).values_list("item", "number")
    assert len(lent) == len(set(lent))


def test_the_boundary_band_is_never_swept(field: Field) -> None:
    for _ in range(2):
        services.open_next_band(project=field.project, by=field.project.created_by, reason="test")
    bands = set()
    for n in range(8):
        labeler = make_member(field.project)
        found = claim_sweep(project=field.project, labeler=labeler, prefer=ALL_LADDERS[n % 2])
        if found is not None:
            bands.add(found.sweep.band)
    assert bands == {0, 1}


def test_a_closed_band_is_not_swept(field: Field) -> None:
    for n in range(2):
        field.claim(make_member(field.project), prefer=ALL_LADDERS[n])
    assert claim_sweep(project=field.project, labeler=field.ann) is None
    assert sweep_state(field.project, field.ann)["state"] == "empty"


def test_what_must_stay_blind_never_enters_a_grid(field: Field) -> None:
    outer = field.items[:30:2]
    audited, lent, asked_soon, answered, in_dispute = (item.pk for item in outer[:5])
    Item.objects.filter(pk=audited).update(audit_drawn_at=timezone.now())
    priority.ask_first(project=field.project, item_ids=[asked_soon])
    Entry.objects.filter(item=answered).update(position=-3)
    Entry.objects.filter(item=lent).update(position=-2)
    truth.request_review(project=field.project, item=outer[4], by=None)
    (mine,) = services.claim(project=field.project, labeler=field.ann)
    assert mine.item_id == answered
    answer_with(field.project, mine)
    (held,) = services.claim(project=field.project, labeler=field.bob)
    assert held.item_id == lent
    Entry.objects.filter(item__in=[answered, lent]).update(position=0)
    grid = field.claim(field.ann)
    shown = {photo.item_id for photo in grid.photos}
    assert not shown & {audited, lent, asked_soon, answered, in_dispute}
    assert not shown & {item.pk for item in field.gold["functional"]}


def test_photos_that_others_have_begun_come_first(field: Field) -> None:
    (slot,) = services.claim(project=field.project, labeler=field.bob)
    answer_with(field.project, slot)
    grid = field.claim(field.ann, prefer=slot.context and "functional")
    assert slot.item_id in {photo.item_id for photo in grid.photos}


def test_the_single_screen_does_not_offer_what_lies_in_ones_own_grid(field: Field) -> None:
    grid = field.claim(field.ann)
    slots = services.claim(project=field.project, labeler=field.ann, count=5)
    assert not {slot.item_id for slot in slots} & {photo.item_id for photo in grid.photos}
    assert {slot.draw for slot in slots} == {Draw.RANK}


# -- where it is not possible ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "state"),
    [
        (lambda f: Project.objects.filter(pk=f.project.pk).update(sweep_allowed=False), "off"),
        (lambda f: Project.objects.filter(pk=f.project.pk).update(checklist_required=True), "checklist"),
        (lambda f: Ranking.objects.filter(pk=f.ranking.pk).update(model_version=None), "no_model"),
        (lambda f: Ranking.objects.filter(pk=f.ranking.pk).update(bands=1), "no_band"),
        (lambda f: [truth.retire_gold(gold=g, by=f.ann) for g in f.project.golds.all()], "no_gold"),
        (lambda f: f.project.pauses.create(labeler=f.ann, correct=1, asked=5, bar=0.8), "paused"),
    ],
)
def test_where_no_sweep_is_possible_the_page_is_told_why(
    field: Field, spoil: Callable[[Field], Any], state: str
) -> None:
    spoil(field)
    field.project.refresh_from_db()
    assert claim_sweep(project=field.project, labeler=field.ann) is None
    told = sweep_state(field.project, field.ann)
    assert told["state"] == state
    assert told["message"]


def test_a_check_photo_is_not_planted_again_while_it_is_remembered(field: Field) -> None:
    for _ in range(6):
        field.project.refresh_from_db()
        grid = claim_sweep(project=field.project, labeler=field.ann, prefer="functional")
        if grid is None or grid.sweep.label_class.key != "functional":
            break
        release_sweep(project=field.project, labeler=field.ann, sweep_id=grid.sweep.pk)
        _forget_photos(field.ann)
    seen = SweepPhoto.objects.filter(labeler=field.ann, known__key="defective").values_list("item", flat=True)
    assert len(seen) == len(set(seen))


def _forget_photos(labeler: User) -> None:
    """As if the labeler had not seen the photos of the pool, but still the planted ones."""
    SweepPhoto.objects.filter(labeler=labeler, known__isnull=True).delete()


def test_after_all_check_photos_were_seen_lately_the_page_says_so(field: Field) -> None:
    now = timezone.now()
    grid = field.claim(field.ann)
    release_sweep(project=field.project, labeler=field.ann, sweep_id=grid.sweep.pk)
    everything = [item for some in field.gold.values() for item in some]
    have = set(grid.sweep.photos.values_list("item", flat=True))
    SweepPhoto.objects.bulk_create(
        SweepPhoto(sweep=grid.sweep, place=100 + n, item=item, labeler=field.ann, shown_at=now)
        for n, item in enumerate(everything)
        if item.pk not in have
    )
    assert claim_sweep(project=field.project, labeler=field.ann) is None
    assert sweep_state(field.project, field.ann)["state"] == "gold_seen"
    SweepPhoto.objects.filter(item__in=everything).update(shown_at=now - timedelta(days=8))
    assert claim_sweep(project=field.project, labeler=field.ann) is not None


# -- handing in ------------------------------------------------------------------------------------------------


def test_photos_that_are_not_marked_are_answered_and_the_answers_say_that_they_are_not_blind(
    field: Field,
) -> None:
    grid = field.claim(field.ann)
    done = field.hand_in(grid)
    assert done.counts == {"kept": len(real(grid)), "marked": len(planted(grid)), "gone": 0}
    answers = Annotation.objects.filter(labeler=field.ann)
    assert {each.item_id for each in answers} == {photo.item_id for photo in real(grid)}
    assert {each.draw for each in answers} == {Draw.SWEEP}
    assert {each.label_class_id for each in answers} == {grid.sweep.label_class_id}
    assert {each.context["shown_as"] for each in answers} == {"functional"}
    assert {each.view_ms for each in answers} == {24_000 // len(grid.photos)}
    assert not SweepCheck.objects.exclude(found=True, right=True).exists()


def test_each_photo_still_gets_its_independent_looks(field: Field) -> None:
    grid = field.claim(field.ann)
    field.hand_in(grid)
    assert not GroundTruth.objects.filter(item__in=[photo.item_id for photo in real(grid)]).exists()
    second = field.claim(field.bob)
    assert {photo.item_id for photo in real(second)} == {photo.item_id for photo in real(grid)}
    field.hand_in(second)
    settled = GroundTruth.objects.current().filter(item__in=[photo.item_id for photo in real(grid)])
    assert settled.count() == len(real(grid))
    assert {each.origin for each in settled} == {"agreement"}
    assert {each.draw for each in settled} == {Draw.SWEEP}
    assert not Entry.objects.filter(ranking=field.ranking, item__in=settled.values("item")).exists()


def test_the_second_look_may_be_a_blind_one_and_the_ground_truth_still_says_sweep(field: Field) -> None:
    grid = field.claim(field.ann)
    field.hand_in(grid)
    (slot,) = services.claim(project=field.project, labeler=field.bob)
    assert slot.item_id in {photo.item_id for photo in real(grid)}
    assert answer_with(field.project, slot).annotation.draw == Draw.RANK
    assert GroundTruth.objects.current().get(item=slot.item_id).draw == Draw.SWEEP


def test_a_blind_pair_stays_blind(field: Field) -> None:
    for labeler in (field.ann, field.bob):
        (slot,) = services.claim(project=field.project, labeler=labeler)
        answer_with(field.project, slot)
    assert GroundTruth.objects.current().get(item=slot.item_id).draw == Draw.RANK


def test_a_ruling_that_rests_on_a_sweep_says_so(field: Field) -> None:
    grid = field.claim(field.ann)
    field.hand_in(grid)
    (slot,) = services.claim(project=field.project, labeler=field.bob)
    answer_with(field.project, slot, "defective")
    dispute = Dispute.objects.open().get(item=slot.item_id)
    truth.rule(
        project=field.project,
        dispute_id=dispute.pk,
        reviewer=field.project.created_by,
        outcome="class",
        class_key="defective",
    )
    assert GroundTruth.objects.current().get(item=slot.item_id).draw == Draw.SWEEP


def test_a_marked_photo_gets_no_answer_and_comes_first_to_people_who_have_not_seen_the_prediction(
    field: Field,
) -> None:
    grid = field.claim(field.ann)
    photo = real(grid)[0]
    field.hand_in(grid, field.marks(grid, photo))
    assert not Annotation.objects.filter(item=photo.item_id).exists()
    (slot,) = services.claim(project=field.project, labeler=make_member(field.project))
    assert (slot.item_id, slot.draw) == (photo.item_id, Draw.RANK)
    waiting = entry(field, photo.item_id)
    assert (waiting.position, waiting.free) == (-1, 1)
    # Neither a grid nor the single screen offers it to the one who saw the prediction.
    assert photo.item_id not in {p.item_id for p in field.claim(field.bob).photos}
    mine = services.claim(project=field.project, labeler=field.ann, count=20)
    assert photo.item_id not in {each.item_id for each in mine}


def test_in_a_team_too_small_a_marked_photo_may_come_back_and_then_is_not_blind(db: None) -> None:
    field = kept_field()
    field.project.memberships.exclude(user__in=[field.ann, field.bob]).delete()
    grid = field.claim(field.ann)
    photo = real(grid)[0]
    field.hand_in(grid, field.marks(grid, photo))
    (slot,) = services.claim(project=field.project, labeler=field.ann)
    assert slot.item_id == photo.item_id
    assert answer_with(field.project, slot).annotation.draw == Draw.SWEEP


@pytest.mark.parametrize(
    "mark",
    [Mark("class", "defective"), Mark("hold", reason="between"), Mark("unusable", reason="blurred")],
)
def test_a_marked_photo_may_be_answered_at_once(field: Field, mark: Mark) -> None:
    grid = field.claim(field.ann)
    photo = real(grid)[0]
    field.hand_in(grid, field.marks(grid, photo, mark=mark))
    stored = Annotation.objects.get(item=photo.item_id)
    assert (stored.kind, stored.reason, stored.draw) == (mark.kind, mark.reason, Draw.SWEEP)
    assert (stored.label_class.key if stored.label_class else "") == mark.class_key


def test_the_same_hand_in_again_changes_nothing(field: Field) -> None:
    grid = field.claim(field.ann)
    key, marks = uuid4(), field.marks(grid, real(grid)[1])
    first = field.hand_in(grid, marks, key=key)
    again = field.hand_in(grid, marks, key=key)
    assert (first.created, again.created) == (True, False)
    assert again.counts == first.counts
    assert SweepHandIn.objects.count() == 1
    with pytest.raises(Refused, match="another hand-in"):
        field.hand_in(grid, field.marks(grid), key=key)
    with pytest.raises(Refused) as refused:
        field.hand_in(grid, marks)
    assert refused.value.code == "sweep_closed"


def test_a_grid_handed_in_faster_than_anybody_can_look_is_refused_and_stays(db: None) -> None:
    field = kept_field(min_view_ms=200)
    grid = field.claim(field.ann)
    with pytest.raises(Refused) as refused:
        field.hand_in(grid, view_ms=150 * len(grid.photos))
    assert refused.value.code == "too_fast"
    assert field.hand_in(grid, view_ms=200 * len(grid.photos)).created


@pytest.mark.parametrize(
    "mark", [Mark("maybe"), Mark("class", "functional"), Mark("class", "cracked"), Mark("hold")]
)
def test_a_mark_that_says_nothing_known_is_refused_whole(field: Field, mark: Mark) -> None:
    grid = field.claim(field.ann)
    with pytest.raises(Refused) as refused:
        field.hand_in(grid, field.marks(grid, real(grid)[0], mark=mark))
    assert refused.value.status == 422
    assert not Annotation.objects.filter(labeler=field.ann).exists()
    assert not SweepCheck.objects.exists()


def test_a_photo_whose_loan_ran_out_goes_to_others_and_the_rest_of_the_grid_counts(field: Field) -> None:
    grid = field.claim(field.ann)
    Slot.objects.filter(item=real(grid)[0].item_id).update(
        leased_at=timezone.now() - timedelta(hours=1), expires_at=timezone.now() - timedelta(minutes=1)
    )
    (taken,) = services.claim(project=field.project, labeler=field.bob)
    assert (taken.item_id, taken.draw) == (real(grid)[0].item_id, Draw.RANK)
    done = field.hand_in(grid)
    assert (done.counts["kept"], done.counts["gone"]) == (len(real(grid)) - 1, 1)
    assert answer_with(field.project, taken).annotation.draw == Draw.RANK


# -- a missed check photo --------------------------------------------------------------------------------------


def test_a_grid_whose_planted_photo_was_missed_is_void_and_its_photos_go_back(field: Field) -> None:
    grid = field.claim(field.ann)
    before = {e.item_id: (e.taken, e.free) for e in Entry.objects.filter(ranking=field.ranking)}
    done = field.hand_in(grid, {})
    assert not done.hand_in.counts
    assert {photo.pk for photo in done.missed} == {photo.pk for photo in planted(grid)}
    assert done.undo_until is None
    assert not Annotation.objects.exists()
    assert not Slot.objects.exists()
    after = {e.item_id: (e.taken, e.free) for e in Entry.objects.filter(ranking=field.ranking)}
    assert {after[photo.item_id] for photo in real(grid)} == {(0, 2)} and before != after
    # What was said is kept, and that it does not count.
    assert {each["kind"] for each in done.hand_in.said.values()} == {"kept"}
    again = field.claim(field.bob)
    assert {photo.item_id for photo in real(again)} == {photo.item_id for photo in real(grid)}


def test_finding_one_of_two_planted_photos_is_not_enough(field: Field) -> None:
    grid = _with_two_planted(field)
    done = field.hand_in(grid, {planted(grid)[0].pk: Mark()})
    assert not done.hand_in.counts
    assert [photo.pk for photo in done.missed] == [planted(grid)[1].pk]
    assert sorted(SweepCheck.objects.values_list("found", flat=True)) == [False, True]


def _with_two_planted(field: Field) -> Grid:
    for seed in range(20):
        labeler = make_member(field.project)
        grid = claim_sweep(
            project=field.project, labeler=labeler, prefer="functional", dice=random.Random(seed)
        )
        assert grid is not None
        if len(planted(grid)) == 2:
            return grid
        release_sweep(project=field.project, labeler=labeler, sweep_id=grid.sweep.pk)
    raise AssertionError("no grid with two planted photos in twenty")


def test_missed_and_found_check_photos_count_among_the_gold_answers_and_pause(db: None) -> None:
    field = kept_field(gold_window=3, gold_bar=0.6)
    field.hand_in(field.claim(field.ann))
    assert set(gold_record(field.project, field.ann)) == {True}
    _miss(field)
    assert gold_record(field.project, field.ann)[0] is False
    _miss(field)
    _miss(field)
    assert pause_of(field.project, field.ann) is not None
    assert claim_sweep(project=field.project, labeler=field.ann) is None
    assert sweep_state(field.project, field.ann)["state"] == "paused"


def _miss(field: Field) -> None:
    _forget_photos(field.ann)
    grid = claim_sweep(project=field.project, labeler=field.ann, prefer="defective", dice=random.Random(3))
    if grid is not None:  # None: paused already
        field.hand_in(grid, {})


def test_what_was_told_to_be_gold_is_never_asked_of_this_person_again(field: Field) -> None:
    grid = field.claim(field.ann)
    field.hand_in(grid, {})
    missed = {photo.item_id for photo in planted(grid)}
    SweepPhoto.objects.filter(labeler=field.ann).update(shown_at=timezone.now() - timedelta(days=30))
    Project.objects.filter(pk=field.project.pk).update(gold_rate=1.0)
    field.project.refresh_from_db()
    asked = {slot.item_id for slot in services.claim(project=field.project, labeler=field.ann, count=20)}
    assert asked and not asked & missed
    Slot.objects.filter(holder=field.ann).delete()
    _forget_photos(field.ann)
    again = field.claim(field.ann)
    assert not {photo.item_id for photo in planted(again)} & missed


def test_a_planted_photo_named_as_a_wrong_class_is_found_and_yet_no_right_gold_answer(db: None) -> None:
    field = kept_field(classes=("functional", "defective", "dirty"))
    grid = field.claim(field.ann)
    marks = {photo.pk: Mark("class", "dirty") for photo in planted(grid)}
    done = field.hand_in(grid, marks)
    assert done.hand_in.counts
    assert set(gold_record(field.project, field.ann)) == {False}


@pytest.mark.parametrize(
    ("mark", "where"),
    [
        (Mark("hold", "defective", reason="between"), "class"),
        (Mark("apart", "defective"), "class"),
        (Mark("apart", reason="between"), "reason"),
        (Mark("class", "defective", reason="between"), "reason"),
    ],
)
def test_a_mark_that_contradicts_itself_is_refused_and_the_grid_stays_on_loan(
    field: Field, mark: Mark, where: str
) -> None:
    grid = field.claim(field.ann)
    with pytest.raises(Refused) as refused:
        field.hand_in(grid, {real(grid)[0].pk: mark})
    assert refused.value.status == 422 and where in refused.value.fields
    assert not Annotation.objects.filter(labeler=field.ann).exists()


# -- taking back -----------------------------------------------------------------------------------------------


def test_a_hand_in_can_be_taken_back_and_said_anew(field: Field) -> None:
    grid = field.claim(field.ann)
    key, apart = uuid4(), real(grid)[2]
    field.hand_in(grid, field.marks(grid, apart), key=key)
    again = take_back(project=field.project, labeler=field.ann, sweep_id=grid.sweep.pk, key=key)
    assert [photo.pk for photo in again.photos] == [photo.pk for photo in grid.photos]
    assert not Annotation.objects.standing().filter(labeler=field.ann).exists()
    assert (
        take_back(project=field.project, labeler=field.ann, sweep_id=grid.sweep.pk, key=key).sweep.pk
        == grid.sweep.pk
    )
    with pytest.raises(Refused) as refused:
        field.hand_in(grid, field.marks(grid, apart), key=key)
    assert refused.value.code == "undone"
    with pytest.raises(Refused) as refused:
        field.hand_in(grid, field.marks(grid), key=key)
    assert refused.value.code == "undone", "it does not stand, so it cannot be said to"
    done = field.hand_in(again, field.marks(grid))
    assert done.counts["kept"] == len(real(grid))
    assert Annotation.objects.standing().filter(labeler=field.ann).count() == len(real(grid))
    assert len(gold_record(field.project, field.ann)) == len(planted(grid))


def test_taking_back_withdraws_what_had_been_settled(field: Field) -> None:
    field.hand_in(field.claim(field.ann))
    grid, key = field.claim(field.bob), uuid4()
    field.hand_in(grid, key=key)
    items = [photo.item_id for photo in real(grid)]
    assert GroundTruth.objects.current().filter(item__in=items).count() == len(items)
    take_back(project=field.project, labeler=field.bob, sweep_id=grid.sweep.pk, key=key)
    assert not GroundTruth.objects.current().filter(item__in=items).exists()
    assert {entry(field, item).free for item in items} == {0}


def test_taking_back_gives_the_grid_begun_meanwhile_back(field: Field) -> None:
    grid, key = field.claim(field.ann), uuid4()
    field.hand_in(grid, key=key)
    following = field.claim(field.ann, prefer="defective")
    take_back(project=field.project, labeler=field.ann, sweep_id=grid.sweep.pk, key=key)
    assert field.claim(field.ann).sweep.pk == grid.sweep.pk
    assert {entry(field, photo.item_id).taken for photo in real(following)} == {0}


def test_after_the_time_for_it_and_when_void_nothing_is_taken_back(field: Field) -> None:
    grid, key = field.claim(field.ann), uuid4()
    field.hand_in(grid, key=key)
    field.project.undo_seconds = 0
    with pytest.raises(Refused) as late:
        take_back(project=field.project, labeler=field.ann, sweep_id=grid.sweep.pk, key=key)
    assert late.value.code == "undo_too_late"
    field.project.undo_seconds = 60
    void, key = field.claim(field.ann, prefer="defective"), uuid4()
    field.hand_in(void, {}, key=key)
    with pytest.raises(Refused) as refused:
        take_back(project=field.project, labeler=field.ann, sweep_id=void.sweep.pk, key=key)
    assert refused.value.code == "void"


def test_a_grid_given_back_is_free_for_others(field: Field) -> None:
    grid = field.claim(field.ann)
    release_sweep(project=field.project, labeler=field.ann, sweep_id=grid.sweep.pk)
    release_sweep(project=field.project, labeler=field.ann, sweep_id=grid.sweep.pk)
    assert {entry(field, photo.item_id).taken for photo in real(grid)} == {0}
    assert not Slot.objects.exists()


def test_a_gold_photos_figures_count_the_grids_in_which_it_stood(field: Field) -> None:
    grid = field.claim(field.ann)
    field.hand_in(grid)
    known = {photo.item_id for photo in planted(grid)}
    figures = {each.gold.item_id: (each.asked, each.missed) for each in gold_page(field.project).golds}
    assert {item: figure for item, figure in figures.items() if figure != (0, 0)} == dict.fromkeys(
        known, (1, 0)
    )
    missed = field.claim(field.bob)
    field.hand_in(missed, {})
    asked = {each.gold.item_id: each.missed for each in gold_page(field.project).golds}
    assert {item for item, times in asked.items() if times} == {photo.item_id for photo in planted(missed)}


def test_agreement_between_people_is_of_their_blind_answers(field: Field) -> None:
    for labeler in (field.ann, field.bob):
        field.hand_in(field.claim(labeler))
    assert agreement(field.project)["n_items"] == 0
    for labeler in (field.ann, field.bob):
        (slot,) = services.claim(project=field.project, labeler=labeler)
        answer_with(field.project, slot)
    assert agreement(field.project)["n_items"] == 1
