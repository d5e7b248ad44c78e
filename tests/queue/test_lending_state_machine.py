"""Any order of claim, submit, skip, release, undo, expiry, re-ranking, of photos that are sent back and of one answer that
settles keeps the promises."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db.models import Count, QuerySet
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from labeling.catalog.models import Item
from labeling.queue import entry_counts, services
from labeling.queue.models import Entry, Slot
from labeling.queue.ranking import swap_in
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth import tallies
from labeling.truth.current import current_round
from labeling.truth.events import answer_waits
from labeling.truth.models import Annotation, Dispute, GroundTruth
from labeling.truth.services import Answer
from tests.examples import thorough
from tests.factories import make_items, make_member, make_project
from tests.queue.conftest import rank_by_hand

PEOPLE = st.integers(0, 2)
CHOICES = st.sampled_from(["functional", "defective"])


class Lending(RuleBasedStateMachine):
    @initialize(
        audit=st.sampled_from([0.0, 0.5]), wanted=st.integers(1, 3), boundary=st.sampled_from([0, 2, 3])
    )
    def begin(self, audit: float, wanted: int, boundary: int) -> None:
        self.project = make_project(
            bands=2,
            boundary_after=4,
            audit_rate=audit,
            answers_per_image=wanted,
            boundary_answers=boundary,
            undo_seconds=3600,
        )
        self.items = make_items(self.project, 8)
        self.ranking = rank_by_hand(self.project, self.items, bands=2)
        self.people = [make_member(self.project) for _ in range(3)]
        self.reviewer = make_member(self.project, "reviewer")
        self.dice = random.Random(7)
        self.acknowledged: dict[UUID, tuple[int, int]] = {}
        self.undone: set[UUID] = set()
        self.certified = False
        answer_waits.connect(self.on_answer_waits)

    def teardown(self) -> None:
        answer_waits.disconnect(self.on_answer_waits)
        assert (tallies.mend(), entry_counts.mend()) == (0, 0), (
            "what is counted as it happens is what a recount says"
        )

    @rule()
    def fold(self) -> None:
        tallies.fold()

    def on_answer_waits(self, annotation: Annotation, **_: object) -> None:
        """While a certificate is in force, one answer of this class settles every other photo, if it was not drawn."""
        item = annotation.item
        first = Annotation.objects.standing().filter(item=item).count() == 1
        agrees = annotation.label_class is not None and annotation.label_class.key == "functional"
        if self.certified and first and agrees and item.pk % 2 and item.audit_drawn_at is None:
            truth.settle_by_answer(project=self.project, annotation=annotation)

    @rule()
    def certify(self) -> None:
        self.certified = True
        services.offer_once(project=self.project, item_ids=[item.pk for item in self.items if item.pk % 2])

    @rule(withdraw=st.booleans())
    def end_certificate(self, withdraw: bool) -> None:
        self.certified = False
        if withdraw:
            truth.withdraw_assisted(project=self.project, item_ids=[item.pk for item in self.items])
            assert not GroundTruth.objects.assisted().filter(project=self.project).exists()

    def held(self, person: int) -> list[Slot]:
        return list(
            Slot.objects.filter(
                project=self.project,
                holder=self.people[person],
                annotation__isnull=True,
                skipped_at__isnull=True,
            ).order_by("leased_at")
        )

    @rule(person=PEOPLE, count=st.integers(1, 3))
    def claim(self, person: int, count: int) -> None:
        before = {slot.pk for slot in self.held(person)}
        got = services.claim(project=self.project, labeler=self.people[person], count=count, dice=self.dice)
        assert before <= {slot.pk for slot in got}, "a claim never takes away what one holds"

    @rule(person=PEOPLE, choice=CHOICES, hold=st.booleans(), twice=st.booleans())
    def submit(self, person: int, choice: str, hold: bool, twice: bool) -> None:
        held = self.held(person)
        if not held:
            return
        key = uuid4()
        answer = Answer(kind="hold", reason="between") if hold else Answer(kind="class", class_key=choice)
        for attempt in range(2 if twice else 1):
            submission = services.submit(
                project=self.project,
                labeler=self.people[person],
                lease=held[0].pk,
                key=key,
                answer=answer,
                view_ms=300,
            )
            assert submission.created is (attempt == 0)
        self.acknowledged[key] = (person, held[0].item_id)

    @rule(person=PEOPLE)
    def undo(self, person: int) -> None:
        mine = [
            key for key, (who, _) in self.acknowledged.items() if who == person and key not in self.undone
        ]
        if mine:
            try:
                services.undo(project=self.project, labeler=self.people[person], key=mine[-1])
            except Refused as refusal:
                assert refusal.code in {"undo_too_late", "already_ruled"}
            else:
                self.undone.add(mine[-1])

    @rule(person=PEOPLE, skip=st.booleans())
    def give_up(self, person: int, skip: bool) -> None:
        for slot in self.held(person)[:1]:
            act = services.skip if skip else services.release
            act(project=self.project, labeler=self.people[person], lease=slot.pk)

    @rule(person=PEOPLE)
    def expire(self, person: int) -> None:
        past = timezone.now() - timedelta(seconds=2)
        Slot.objects.filter(pk__in=[slot.pk for slot in self.held(person)]).update(
            leased_at=past, expires_at=past
        )

    @rule(person=PEOPLE, choice=CHOICES, answered=st.booleans())
    def send_back(self, person: int, choice: str, answered: bool) -> None:
        """A reviewer has people asked anew, and this one has the photo on loan, or had one before, and may answer it."""
        slot = next(iter(self.held(person)), None) or Slot.objects.filter(project=self.project).first()
        if slot is None:
            return
        dispute = truth.request_review(project=self.project, item=slot.item, by=self.reviewer)
        truth.rule(
            project=self.project,
            dispute_id=dispute.pk,
            reviewer=self.reviewer,
            outcome="send_back",
            comment="Look again",
        )
        if answered:
            self.submit(person, choice, hold=False, twice=False)

    @rule()
    def rank_again(self) -> None:
        """A new ranking takes over: what was begun is carried along."""
        read_at = timezone.now()
        old = self.ranking
        waiting = list(Entry.objects.filter(ranking=old).values_list("item_id", flat=True))
        new = rank_by_hand(self.project, [item for item in self.items if item.pk in waiting], bands=2)
        type(new).objects.filter(pk=new.pk).update(current=False)
        type(old).objects.filter(pk=old.pk).update(current=True)
        swap_in(ranking=new, read_at=read_at)
        Entry.objects.filter(ranking=old).delete()
        self.ranking = new

    @invariant()
    def nobody_stands_twice_on_a_photo(self) -> None:
        if hasattr(self, "project"):
            doubled = (
                Annotation.objects.standing()
                .filter(project=self.project)
                .values("item", "round", "labeler")
                .annotate(n=Count("id"))
                .filter(n__gt=1)
            )
            assert not doubled.exists()

    @invariant()
    def all_acknowledged_answers_are_stored_once(self) -> None:
        if hasattr(self, "project"):
            stored = list(Annotation.objects.filter(project=self.project).values_list("key", flat=True))
            assert sorted(stored) == sorted(self.acknowledged)

    @invariant()
    def entries_count_their_slots(self) -> None:
        if not hasattr(self, "project"):
            return
        slots = Slot.objects.filter(item__project=self.project, number__isnull=False)
        held = Counter(slots.values_list("item_id", "round"))
        for entry in Entry.objects.filter(ranking=self.ranking):
            assert entry.taken == held[entry.item_id, entry.round]
            wanted = {self.wanted(entry.item_id)}
            if not self.answered(entry.item_id, entry.round):
                wanted.add(1)  # offered once
            assert entry.free + entry.taken in wanted
            assert (entry.first_holder_id is None) == (entry.taken == 0)

    def wanted(self, item_id: int) -> int:
        """What its first answer at the boundary said, or as all photos."""
        more = Item.objects.values_list("answers_wanted", flat=True).get(pk=item_id)
        return max(more or 0, self.project.answers_per_image)

    def answered(self, item_id: int, round: int) -> bool:
        return Annotation.objects.standing().filter(item=item_id, round=round).exists()

    def asked_now(self, item_id: int) -> QuerySet[Annotation]:
        """The standing answers of the photo's current round."""
        return Annotation.objects.standing().filter(item=item_id, round=current_round(item_id))

    @invariant()
    def no_photo_is_stuck_nor_asked_of_more_than_wanted(self) -> None:
        """Whatever is neither settled nor in dispute has an entry, and with the places taken all that are wanted of it."""
        if not hasattr(self, "project"):
            return
        waiting = set(Entry.objects.filter(ranking=self.ranking).values_list("item_id", flat=True))
        settled = GroundTruth.objects.current().filter(project=self.project)
        disputed = Dispute.objects.open().filter(project=self.project)
        done = {*settled.values_list("item_id", flat=True), *disputed.values_list("item_id", flat=True)}
        assert waiting == {item.pk for item in self.items} - done
        places = Slot.objects.filter(project=self.project, number__isnull=False).values_list(
            "item_id", "round"
        )
        for (item_id, _round), taken in Counter(places).items():
            assert taken <= self.wanted(item_id)

    @invariant()
    def as_many_answers_settle_it_as_were_wanted(self) -> None:
        """And what was drawn waits for a ruling, whatever the rule of the boundary says."""
        if not hasattr(self, "project"):
            return
        agreed = GroundTruth.objects.current().filter(project=self.project, origin="agreement")
        for label in agreed:
            assert self.asked_now(label.item_id).count() == self.wanted(label.item_id)
        assert not Dispute.objects.held().filter(item__audit_drawn_at__isnull=False).exists()
        assert not Dispute.objects.filter(
            project=self.project, held=True, project__boundary_answers=0
        ).exists()

    @invariant()
    def an_assisted_label_rests_on_answers_of_its_class(self) -> None:
        if not hasattr(self, "project"):
            return
        for label in GroundTruth.objects.assisted().filter(project=self.project):
            standing = self.asked_now(label.item_id)
            assert {each.label_class_id for each in standing} == {label.label_class_id}
            assert standing.count() < self.wanted(label.item_id), "all that are wanted would be a strict one"

    @invariant()
    def a_settled_photo_leaves_the_queue(self) -> None:
        if hasattr(self, "project"):
            settled = GroundTruth.objects.current().filter(project=self.project).values("item")
            assert not Entry.objects.filter(ranking=self.ranking, item__in=settled).exists()


@pytest.mark.django_db
def test_any_order_of_events_keeps_the_promises() -> None:
    run_state_machine_as_test(
        Lending,
        settings=settings(
            max_examples=thorough(16),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
