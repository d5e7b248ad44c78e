"""Several projects' questions about one photo: each lent, answered and settled as in its own project, and as blind."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Count
from django.http import Http404
from django.test import Client

from labeling.catalog.models import Item, Project, Role
from labeling.catalog.permissions import Action
from labeling.people.models import User
from labeling.queue import services as queue
from labeling.queue.models import Entry, QuestionSheet, Slot
from labeling.queue.places import DECIDED
from labeling.queue.priority import ask_first
from labeling.queue.sheets import services
from labeling.queue.sheets.asking import left_out
from labeling.queue.sheets.permissions import sheet_for, sheets_of
from labeling.queue.sheets.selectors import sheet_state
from labeling.queue.sheets.services import SheetPhoto
from labeling.refusals import Refused
from labeling.truth.gold import gold_records
from labeling.truth.models import Annotation, Draw, GroundTruth, Pause
from labeling.truth.own_answers import own_answers
from labeling.truth.services import Answer, add_gold
from tests.factories import join, make_items, make_member, make_project, make_user
from tests.queue.conftest import answer_with, rank_by_hand

pytestmark = pytest.mark.django_db
PHOTOS = 12


@dataclass
class Wash:
    """Three questions about the same photos, each with an order of its own."""

    clean: Project
    dent: Project
    scratch: Project
    sheet: QuestionSheet
    ann: User
    bob: User
    items: dict[int, list[Item]] = field(default_factory=dict)

    @property
    def projects(self) -> list[Project]:
        return [self.clean, self.dent, self.scratch]

    def claim(self, who: User | None = None, count: int = 1, seed: int = 0) -> Sequence[SheetPhoto]:
        dice = random.Random(seed)
        claimed = services.claim_sheet(sheet=self.sheet, labeler=who or self.ann, count=count, dice=dice)
        return claimed.photos

    def set(self, project: Project, **settings: float) -> None:
        Project.objects.filter(pk=project.pk).update(**settings)
        self.sheet = QuestionSheet.objects.get(pk=self.sheet.pk)


def make_wash() -> Wash:
    admin = make_user()
    clean, dent, scratch = (make_project(admin=admin, bands=3, boundary_after=60) for _ in range(3))
    ann, bob = make_user(), make_user()
    for project in (clean, dent, scratch):
        join(project, ann, bob)
    made = make_items(clean, PHOTOS)
    items = {clean.pk: made}
    for project in (dent, scratch):
        items[project.pk] = Item.objects.bulk_create(
            Item(project=project, image=each.image, name=each.name, random_key=each.random_key)
            for each in made
        )
    sheet = services.create_sheet(
        slug=f"wash-{clean.pk}", name="Wash", projects=[clean.slug, dent.slug, scratch.slug], by=admin
    )
    for project, first in ((clean, 0), (dent, 4), (scratch, 8)):
        rank_by_hand(project, items[project.pk][first:] + items[project.pk][:first])
    return Wash(clean, dent, scratch, sheet, ann, bob, items)


@pytest.fixture
def wash(db: None) -> Wash:
    return make_wash()


def slugs(photo: SheetPhoto) -> list[str]:
    return [slot.project.slug for slot in photo.slots]


def test_a_photo_is_lent_in_every_project_of_the_sheet_by_the_first_one_s_order(wash: Wash) -> None:
    photos = wash.claim(count=3)
    assert [photo.image for photo in photos] == [item.image for item in wash.items[wash.clean.pk][:3]]
    assert [slugs(photo) for photo in photos] == [[each.slug for each in wash.projects]] * 3
    assert Slot.objects.filter(holder=wash.ann, draw=Draw.RANK, number=0).count() == 9
    again = wash.claim(count=3)
    assert [[slot.pk for slot in photo.slots] for photo in again] == [
        [slot.pk for slot in photo.slots] for photo in photos
    ]


def test_a_claim_takes_few_queries(wash: Wash, django_assert_max_num_queries: Callable[..., Any]) -> None:
    with django_assert_max_num_queries(25):
        wash.claim()


def test_each_answer_is_its_own_project_s_and_says_by_which_sheet_it_was_asked(wash: Wash) -> None:
    for who in (wash.ann, wash.bob):
        (photo,) = wash.claim(who)
        for slot, said in zip(photo.slots, ("functional", "defective"), strict=False):
            answer_with(slot.project, slot, said)
        kind = "class" if who is wash.ann else "hold"
        answer_with(wash.scratch, photo.slots[2], kind=kind, reason="hidden" if kind == "hold" else "")
    truths = {each.project_id: each.label_class.key for each in GroundTruth.objects.all() if each.label_class}
    assert truths == {wash.clean.pk: "functional", wash.dent.pk: "defective"}
    assert Annotation.objects.filter(context__sheet=wash.sheet.pk).count() == 6
    # A hold is in dispute in its own project, and in no other.
    assert list(wash.scratch.disputes.values_list("cause", flat=True)) == ["hold"]


def test_what_was_answered_stays_and_what_was_not_is_asked_on(wash: Wash) -> None:
    (photo,) = wash.claim()
    key = answer_with(wash.clean, photo.slots[0]).annotation.key
    (same,) = wash.claim()
    assert (same.image, slugs(same)) == (photo.image, [wash.dent.slug, wash.scratch.slug])
    queue.undo(project=wash.clean, labeler=wash.ann, key=key)
    (back,) = wash.claim()
    assert slugs(back) == [each.slug for each in wash.projects]
    queue.skip(project=wash.dent, labeler=wash.ann, lease=back.slots[1].pk)
    (left,) = wash.claim()
    assert slugs(left) == [wash.clean.slug, wash.scratch.slug]


def test_only_what_this_person_may_answer_and_somebody_wants_is_asked(wash: Wash) -> None:
    photo = wash.items[wash.clean.pk][0]
    same = {project.pk: Item.objects.get(project=project, image=photo.image) for project in wash.projects}
    # Ann has answered one on its own page; the machine decided another.
    ask_first(project=wash.dent, item_ids=[same[wash.dent.pk].pk])
    (own,) = queue.claim(project=wash.dent, labeler=wash.ann)
    assert own.item_id == same[wash.dent.pk].pk
    answer_with(wash.dent, own)
    Entry.objects.filter(item=same[wash.scratch.pk]).update(band=DECIDED)
    (lent,) = wash.claim()
    assert (lent.image, slugs(lent)) == (photo.image, [wash.clean.slug])
    # Of somebody else the first is still wanted, and comes before what nobody has begun.
    (theirs,) = wash.claim(wash.bob)
    assert (theirs.image, slugs(theirs)) == (photo.image, [wash.clean.slug, wash.dent.slug])


def test_what_another_project_has_begun_or_asks_for_first_comes_before_fresh_photos(wash: Wash) -> None:
    last = wash.items[wash.scratch.pk][7]
    ask_first(project=wash.scratch, item_ids=[last.pk])
    (photo,) = wash.claim()
    assert photo.image == last.image
    (pair,) = wash.claim(wash.bob)
    assert (pair.image, {slot.number for slot in pair.slots}) == (last.image, {1})


def test_a_photo_that_goes_along_is_no_random_label_and_the_lot_falls_all_the_same(wash: Wash) -> None:
    wash.set(wash.dent, audit_rate=1.0)
    first = Item.objects.filter(project=wash.dent).order_by("random_key")[0]
    (drawn,) = wash.claim()
    # What takes the place of the next photo is what the walk draws next; only that is drawn, and only there.
    assert (drawn.image, slugs(drawn)) == (first.image, [each.slug for each in wash.projects])
    assert [slot.draw for slot in drawn.slots] == [Draw.RANK, Draw.AUDIT, Draw.RANK]
    assert list(Item.objects.filter(audit_drawn_at__isnull=False)) == [first]
    wash.set(wash.dent, audit_rate=0.0)
    _drawn, along = wash.claim(count=2)
    assert {slot.draw for slot in along.slots} == {Draw.RANK}
    assert list(Item.objects.filter(audit_drawn_at__isnull=False)) == [first]


def test_a_check_is_asked_beside_the_same_questions_and_its_covers_count_for_nothing(wash: Wash) -> None:
    known = wash.items[wash.dent.pk][PHOTOS - 5]
    Entry.objects.filter(item__image=known.image).delete()  # settled everywhere, long ago
    add_gold(project=wash.dent, item=known, class_key="defective", by=wash.dent.created_by)
    wash.set(wash.dent, gold_rate=1.0, audit_rate=0.0)
    (check,) = wash.claim()
    assert (check.image, slugs(check)) == (known.image, [each.slug for each in wash.projects])
    assert {slot.draw for slot in check.slots} == {Draw.GOLD}
    for slot in check.slots:
        answer_with(slot.project, slot, "defective")
    assert not GroundTruth.objects.filter(item__image=known.image).exclude(origin="gold").exists()
    records = [gold_records(project, [wash.ann.pk])[wash.ann.pk] for project in wash.projects]
    assert records == [[], [True], []]
    # Nothing that they are told of their answers tells which one was the check.
    assert {each.settled_as for project in wash.projects for each in own_answers(project, wash.ann)} == {None}


def test_a_claim_brings_what_it_asked_for_whatever_the_lots_say(wash: Wash) -> None:
    for project in wash.projects:
        known = wash.items[project.pk][PHOTOS - 1 - wash.projects.index(project)]
        Entry.objects.filter(item=known).delete()
        add_gold(project=project, item=known, class_key="defective", by=project.created_by)
        wash.set(project, gold_rate=0.5, audit_rate=0.5)
    for seed in range(4):
        with transaction.atomic():
            photos = wash.claim(count=3, seed=seed)
            assert len({photo.image for photo in photos}) == 3
            assert {len(photo.slots) for photo in photos} <= {
                2,
                3,
            }  # two where a photo is gold in one of them
            transaction.set_rollback(True)


def test_a_check_is_left_out_where_a_question_beside_it_would_stand_out(wash: Wash) -> None:
    known = wash.items[wash.dent.pk][PHOTOS - 5]
    add_gold(project=wash.dent, item=known, class_key="defective", by=wash.dent.created_by)
    Entry.objects.filter(item__image=known.image).delete()
    Item.objects.filter(project=wash.scratch, image=known.image).delete()
    wash.set(wash.dent, gold_rate=1.0)
    assert [slugs(photo) for photo in wash.claim()] == [[each.slug for each in wash.projects]]


def test_who_is_paused_in_one_project_is_asked_the_others(wash: Wash) -> None:
    Pause.objects.create(project=wash.clean, labeler=wash.ann, correct=1, asked=5, bar=0.8)
    claimed = services.claim_sheet(sheet=wash.sheet, labeler=wash.ann)
    assert claimed.paused == {wash.clean.pk}
    assert [slugs(photo) for photo in claimed.photos] == [[wash.dent.slug, wash.scratch.slug]]
    assert claimed.photos[0].image == wash.items[wash.dent.pk][4].image  # by the next project's order
    for project in (wash.dent, wash.scratch):
        Pause.objects.create(project=project, labeler=wash.ann, correct=1, asked=5, bar=0.8)
    claimed = services.claim_sheet(sheet=wash.sheet, labeler=wash.ann)
    assert not claimed.photos
    assert sheet_state(wash.sheet, wash.ann, claimed.paused)["state"] == "paused"


def test_a_project_that_asks_for_a_ticked_checklist_is_left_out_and_an_admin_is_told(wash: Wash) -> None:
    wash.set(wash.dent, checklist_required=True)
    (photo,) = wash.claim()
    assert slugs(photo) == [wash.clean.slug, wash.scratch.slug]
    assert [project for project, _reason in left_out(wash.sheet)] == [wash.dent]
    with pytest.raises(Refused) as refusal:
        services.create_sheet(
            slug="more", name="More", projects=[wash.clean.slug, wash.dent.slug], by=wash.clean.created_by
        )
    assert "checklist" in refusal.value.message


def test_a_sheet_is_its_admins_to_make_and_its_labelers_to_answer(wash: Wash) -> None:
    other = make_project(admin=make_user())
    admin = wash.clean.created_by
    for chosen in (
        [wash.clean.slug],
        [wash.clean.slug] * 2,
        [wash.clean.slug, other.slug],
        ["nowhere", "none"],
    ):
        with pytest.raises(Refused) as refusal:
            services.create_sheet(slug="fresh", name="Fresh", projects=chosen, by=admin)
        assert refusal.value.status == 422
    join(other, admin, role="admin")
    services.change_sheet(sheet=wash.sheet, by=admin, projects=[other.slug, wash.clean.slug], name="Two")
    assert [each.slug for each in QuestionSheet.objects.get().projects] == [other.slug, wash.clean.slug]
    with pytest.raises(Http404):  # a labeler of one of them only
        sheet_for(wash.ann, wash.sheet.slug, Action.LABEL)
    join(other, wash.ann)
    assert sheets_of(wash.ann) == [wash.sheet] == [sheet_for(wash.ann, wash.sheet.slug, Action.LABEL)]
    with pytest.raises(PermissionDenied):
        sheet_for(wash.ann, wash.sheet.slug, Action.ADMIN)
    services.archive_sheet(sheet=wash.sheet, by=admin)
    assert sheets_of(admin) == []


@pytest.mark.django_db(transaction=True)
def test_people_at_two_sheets_of_the_same_projects_share_no_wanted_answer_and_wait_for_nobody() -> None:
    wash = make_wash()
    back = services.create_sheet(
        slug="back",
        name="Back",
        projects=[each.slug for each in reversed(wash.projects)],
        by=wash.clean.created_by,
    )
    people = [wash.ann, wash.bob]
    for _ in range(2):
        people.append(make_member(wash.clean))
        for project in (wash.dent, wash.scratch):
            join(project, people[-1])
    errors: list[BaseException] = []

    def work(person: User, sheet: QuestionSheet) -> None:
        try:
            for _ in range(4):
                for photo in services.claim_sheet(sheet=sheet, labeler=person, count=3).photos:
                    for slot in photo.slots:
                        queue.submit(
                            project=slot.project,
                            labeler=person,
                            lease=slot.pk,
                            key=uuid4(),
                            answer=Answer("class", "functional"),
                        )
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=work, args=(person, [wash.sheet, back][n % 2]))
        for n, person in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "somebody waits for ever"
    assert not errors
    answers = Annotation.objects.values("item").annotate(
        n=Count("id"), people=Count("labeler", distinct=True)
    )
    assert answers and all(row["n"] == row["people"] <= 2 for row in answers)
    settled = set(GroundTruth.objects.trainable().values_list("item", flat=True))
    assert {row["item"] for row in answers if row["n"] == 2} == settled


def test_who_is_admin_of_one_project_is_told_that_a_sheet_needs_two(client: Client) -> None:
    one = make_project()
    client.force_login(one.created_by)
    page = client.get("/sheets/new/").content.decode()
    assert "two projects or more, and you are an admin of one only" in page
    join(make_project(), one.created_by, role=Role.ADMIN)
    page = client.get("/sheets/new/").content.decode()
    assert "whose questions are asked, two or more" in page and "admin of one only" not in page
