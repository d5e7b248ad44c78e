"""An earlier photo beside: what may be shown, that it is kept, and that who saw it proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import current_guideline, may_see_photo
from labeling.explorer.photo.history import Kind, history
from labeling.frontier.compute.certifying import plan_for
from labeling.frontier.compute.sample import draws
from labeling.frontier.policy import policy_of
from labeling.inspections.evidence import Reader
from labeling.inspections.models import Inspection
from labeling.inspections.services import Earlier, show_earlier, show_earlier_at_review
from labeling.people.models import User
from labeling.queue import services
from labeling.queue.claiming import beginning, checks, taking
from labeling.queue.models import EarlierShown, Slot
from labeling.refusals import Refused
from labeling.truth.gold import gold_record
from labeling.truth.models import EARLIER, Dispute, Draw, Gold, GroundTruth
from labeling.truth.own_answers import own_answers
from labeling.truth.services import add_gold, request_review, rule
from tests.factories import join, make_member, make_user
from tests.inspections.made import Washes
from tests.queue.conftest import answer_with

pytestmark = pytest.mark.django_db


class Twice:
    """One car that was washed twice; of the first time all is settled. Both projects show earlier photos."""

    def __init__(self, washes: Washes) -> None:
        self.washes = washes
        for project in (washes.wash, washes.damage):
            project.earlier_allowed = True
            project.save(update_fields=["earlier_allowed"])
        self.ann, self.bob = washes.pool.labelers
        self.first = washes.inspect(happened_at=timezone.now() - timedelta(days=2))
        washes.say_all(self.first, "functional", "none")
        self.second = washes.inspect(asset=self.first.asset)

    def item(self, inspection: Inspection, project: Project, shot: str = "front") -> Item:
        return self.washes.items(inspection, shot)[project.slug]

    def lend(self, project: Project | None = None, who: User | None = None) -> Slot:
        """The front of the second time."""
        project, who = project or self.washes.wash, who or self.ann
        image = self.item(self.second, project).image_id
        with transaction.atomic():
            beginning.start(project, who)
            ranking = beginning.order_of(project, who).ranking
            assert ranking is not None
            slot = taking.take_photo(project, ranking, who, image)
        assert slot is not None
        return slot

    def show(self, slot: Slot) -> Earlier | None:
        return show_earlier(project=slot.project, labeler=slot.holder, lease=slot.pk)


@pytest.fixture
def twice(washes: Washes) -> Twice:
    return Twice(washes)


def test_who_saw_the_same_shot_of_the_time_before_is_not_blind_and_what_rests_on_it_certifies_nothing(
    twice: Twice,
) -> None:
    wash, slot = twice.washes.wash, twice.lend()
    before = twice.item(twice.first, wash).image
    shown = twice.show(slot)
    assert shown is not None and shown.image == before
    assert may_see_photo(twice.ann, before.sha256)
    assert twice.show(slot) == shown, "asked again, it is the same"
    said = answer_with(wash, slot).annotation
    assert (said.draw, said.context[EARLIER]) == (Draw.SWEEP, before.pk)
    assert [each.annotation for each in own_answers(wash, twice.ann)] == [said]
    blind = answer_with(wash, twice.lend(who=twice.bob)).annotation
    assert (blind.draw, EARLIER in blind.context) == (Draw.RANK, False)
    assert GroundTruth.objects.get(item=said.item_id).draw == Draw.SWEEP


def test_it_stays_so_whatever_becomes_of_the_lease(twice: Twice) -> None:
    wash, damage = twice.washes.wash, twice.washes.damage
    slot = twice.lend()
    assert twice.show(slot)
    services.release(project=wash, labeler=twice.ann, lease=slot.pk)
    taken = answer_with(wash, twice.lend())
    assert taken.annotation.draw == Draw.SWEEP
    services.undo(project=wash, labeler=twice.ann, key=taken.annotation.key)
    again = Slot.objects.get(item=slot.item_id, holder=twice.ann)
    assert answer_with(wash, again, "defective").annotation.draw == Draw.SWEEP
    join(damage, twice.ann)
    elsewhere = answer_with(damage, twice.lend(damage), "none").annotation
    assert elsewhere.draw == Draw.SWEEP, "another question about the same photo"


def _first_time_only(twice: Twice) -> None:
    Inspection.objects.filter(pk=twice.first.pk).update(happened_at=timezone.now())


def _another_car(twice: Twice) -> None:
    Inspection.objects.filter(pk=twice.first.pk).update(asset=twice.washes.inspect().asset)


def _asked_again(twice: Twice) -> None:
    item = twice.item(twice.first, twice.washes.wash)
    twice.washes.say(item, "functional", kind="withdrawn", label_class=None)


def _asked_again_in_another_project(twice: Twice) -> None:
    join(twice.washes.damage, twice.ann)
    item = twice.item(twice.first, twice.washes.damage)
    twice.washes.say(item, "none", kind="withdrawn", label_class=None)


def _gold(twice: Twice) -> None:
    item = twice.item(twice.first, twice.washes.wash)
    Gold.objects.create(
        item=item,
        project=twice.washes.wash,
        label_class=twice.washes.pool.classes["functional"],
        added_by=twice.washes.admin,
    )


def _refused_since(twice: Twice) -> None:
    twice.first.photos.update(faults=["wrong_shot"])


@pytest.mark.parametrize(
    "make",
    [
        _first_time_only,
        _another_car,
        _asked_again,
        _asked_again_in_another_project,
        _gold,
        _refused_since,
    ],
)
def test_where_none_may_be_shown_nothing_is_kept_and_the_answer_is_blind(
    twice: Twice, make: Callable[[Twice], None]
) -> None:
    make(twice)
    slot = twice.lend()
    assert twice.show(slot) is None
    assert not EarlierShown.objects.exists()
    assert answer_with(twice.washes.wash, slot).annotation.draw == Draw.RANK


def test_a_gold_question_beside_an_earlier_photo_checks_nobody_and_settles_nothing(twice: Twice) -> None:
    wash = twice.washes.wash
    item = twice.item(twice.second, wash)
    add_gold(project=wash, item=item, class_key="functional", by=twice.washes.admin)
    for person, look in ((twice.ann, True), (twice.bob, False)):
        with transaction.atomic():
            slot = checks.take_gold(wash, person, current_guideline(wash))
        assert slot is not None and slot.item_id == item.pk
        assert bool(look and twice.show(slot)) == look
        assert answer_with(wash, slot, "defective").annotation.draw == Draw.GOLD
    assert gold_record(wash, twice.ann) == []
    assert gold_record(wash, twice.bob) == [False]


def test_a_photo_of_the_random_sample_counts_as_wrong_once_an_answer_to_it_was_not_blind(
    twice: Twice,
) -> None:
    wash, pool = twice.washes.wash, twice.washes.pool
    item = twice.item(twice.second, wash)
    plan = plan_for(wash, pool.model, current_guideline(wash), policy_of(wash))
    assert item.pk in plan.cohort.item_ids
    Item.objects.filter(pk=item.pk).update(audit_drawn_at=timezone.now())
    for person in (twice.ann, twice.bob):
        slot = twice.lend(who=person)
        assert person == twice.bob or twice.show(slot)
        answer_with(wash, slot, pool.predicted[item.pk])
    found = draws(plan)
    assert (found.counts["told"], [label.correct for label in found.labels]) == (1, [False])


def test_a_ruling_beside_it_settles_and_certifies_nothing(twice: Twice) -> None:
    wash, pool = twice.washes.wash, twice.washes.pool
    items = [twice.item(twice.second, wash, shot) for shot in ("front", "rear")]
    plan = plan_for(wash, pool.model, current_guideline(wash), policy_of(wash))
    Item.objects.filter(pk__in=[each.pk for each in items]).update(audit_drawn_at=timezone.now())
    disputes = [
        Dispute.objects.create(project=wash, item=each, round=1, cause="disagreement") for each in items
    ]
    cleo = make_member(wash, "reviewer")
    shown = show_earlier_at_review(project=wash, reviewer=cleo, dispute_id=disputes[0].pk)
    assert shown is not None and shown.image == twice.item(twice.first, wash).image
    for each in disputes:
        key = pool.predicted[each.item_id]
        rule(project=wash, dispute_id=each.pk, reviewer=cleo, outcome="class", class_key=key)
    truths = GroundTruth.objects.filter(item__in=items).order_by("item")
    assert [each.draw for each in truths] == [Draw.SWEEP, Draw.AUDIT]
    known = Reader().read([twice.second.pk])[twice.second.pk].by_part
    assert [known[shot, "wash"].by for shot in ("front", "rear")] == ["sweep", "reviewer"]
    found = draws(plan)
    assert found.counts["told"] == 1
    assert {label.item_id: label.correct for label in found.labels} == {items[0].pk: False, items[1].pk: True}
    beside = [
        "beside an earlier photo, not blind" in moment.details
        for each in items
        for moment in history(wash, each, told=True, gold=True)
        if moment.kind == Kind.RULING
    ]
    assert beside == [True, False]
    with pytest.raises(Refused, match="just ruled"):
        show_earlier_at_review(project=wash, reviewer=cleo, dispute_id=disputes[1].pk)
    Project.objects.filter(pk=wash.pk).update(earlier_allowed=False)
    again = request_review(project=Project.objects.get(pk=wash.pk), item=items[1], by=cleo)
    with pytest.raises(Refused, match="Earlier photos are not shown here"):
        show_earlier_at_review(project=again.project, reviewer=cleo, dispute_id=again.pk)


def test_it_is_refused_where_it_is_not_allowed_or_too_late(twice: Twice) -> None:
    wash, damage = twice.washes.wash, twice.washes.damage
    slot = twice.lend()
    with pytest.raises(Refused, match="not on loan"):
        show_earlier(project=wash, labeler=twice.bob, lease=slot.pk)
    Project.objects.filter(pk=damage.pk).update(earlier_allowed=False)
    join(damage, twice.ann)
    along = twice.lend(damage)
    with pytest.raises(Refused, match="Earlier photos are not shown here"):
        twice.show(slot)  # the other question of the same view must stay blind
    answer_with(damage, along, "none")
    answer_with(wash, slot)
    with pytest.raises(Refused, match="answered this photo already"):
        twice.show(slot)
    assert not EarlierShown.objects.exists()


def test_the_api_tells_a_photo_and_when_it_was_and_nothing_that_was_said_of_it(
    twice: Twice, client: Client
) -> None:
    slot = twice.lend()
    address = f"/api/v1/projects/wash/leases/{slot.pk}/earlier"
    client.force_login(twice.ann)
    told = client.post(address).json()["earlier"]
    assert told.keys() == {"photo", "happened_at", "event"}
    assert told["photo"]["sha256"] == twice.item(twice.first, twice.washes.wash).image.sha256
    client.force_login(make_user())
    assert client.post(address).status_code == 404
