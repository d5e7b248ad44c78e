"""One blind answer that says what the machine says settles a photo of a certified ring, and no other does."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Item
from labeling.frontier import assisting, class_status
from labeling.frontier.cohort import TakenOfRing
from labeling.frontier.models import (
    AssistedLabel,
    AuditWatch,
    AutomaticDecision,
    Certificate,
    CertificationPlan,
    CertificationRun,
)
from labeling.frontier.services import end_certificates, suspend
from labeling.queue.models import Entry
from labeling.queue.services import release, undo
from labeling.refusals import Refused
from labeling.truth.models import GroundTruth, Origin
from tests.factories import make_member
from tests.frontier.answering import answer_sample, hand, say
from tests.frontier.proving import KEYS, Pool, make_pool
from tests.kept import made_once

OTHER = {KEYS[0]: KEYS[1], KEYS[1]: KEYS[0]}

pytestmark = pytest.mark.django_db


def sampled(pool: Pool, items: list[Item]) -> list[tuple[Item, str, str]]:
    """The champion is wrong of every third photo below a margin of .3, and the first answer never with it."""
    unsure = [item for item in items if pool.margin[item.pk] < 0.3]
    wrong = {item.pk for item in unsure[::3]}
    truth = {item.pk: pool.predicted[item.pk] for item in items}
    truth |= {pk: OTHER[truth[pk]] for pk in wrong}
    return [(item, truth[item.pk], truth[item.pk]) for item in items]


@made_once
def assisted_pool(**policy: Any) -> Pool:
    """Rings are certified at 80 %; the machine decides what lies outside of them."""
    pool = make_pool(800)
    wished = {
        "promise": "assisted",
        "precision": 0.8,
        "planned_labels": 300,
        "mode": "on",
        "audit_share": 0.0,
    }
    pool.policy(**wished | policy)
    answer_sample(pool, sampled(pool, pool.draw(350)))
    pool.work()
    return pool


def certificate_of(pool: Pool, key: str = "functional") -> Certificate:
    return Certificate.objects.in_force().get(project=pool.project, label_class=pool.classes[key])


def ring_photos(pool: Pool, key: str = "functional") -> list[Item]:
    """Open photos of the class's ring, the surest first."""
    certificate = certificate_of(pool, key)
    assert certificate.assisted is not None
    waiting = pool.waiting()
    inside = [
        item
        for item in pool.items
        if item.pk in waiting
        and pool.predicted[item.pk] == key
        and certificate.assisted <= pool.margin[item.pk] < certificate.threshold
    ]
    return sorted(inside, key=lambda item: -pool.margin[item.pk])


def truth_of(item: Item) -> GroundTruth | None:
    return GroundTruth.objects.current().filter(item=item).first()


def wanted(pool: Pool, item: Item) -> tuple[int, int] | None:
    return Entry.objects.filter(ranking__project=pool.project, item=item).values_list("taken", "free").first()


def test_a_ring_is_certified_beside_the_machines_part_and_offered_to_one_person_first() -> None:
    pool = assisted_pool()
    for key in KEYS:
        certificate = certificate_of(pool, key)
        assert certificate.assisted is not None and certificate.assisted < certificate.threshold < 0.8
        assert certificate.ring_n and certificate.ring_errors == 0 and certificate.ring_spare is not None
        assert certificate.run.plan.promise == "assisted"
    ring = ring_photos(pool)
    assert len(ring) > 10 and {wanted(pool, item) for item in ring} == {(0, 1)}
    decided = AutomaticDecision.objects.filter(project=pool.project, label_class=pool.classes["functional"])
    assert decided.exists()
    assert min(each.confidence for each in decided) >= certificate_of(pool).threshold


def test_rings_of_two_plans_are_offered_each_by_its_own_cohort() -> None:
    """Another number of planned labels is another plan, under which one class may get its certificate before the other."""
    pool = assisted_pool()
    photo = ring_photos(pool)[0]
    slot = hand(pool, photo, pool.labelers[0])
    pool.policy(planned_labels=320)
    pool.work()
    release(project=pool.project, labeler=pool.labelers[0], lease=slot.pk)
    first, second = CertificationPlan.objects.filter(project=pool.project).order_by("pk")
    assert photo.pk in first.cohort.item_ids and photo.pk not in second.cohort.item_ids
    newer = certificate_of(pool, "defective")
    end_certificates(project=pool.project, kind="renewed", reason="later", only=[newer.pk])
    newer.pk, newer.run = None, CertificationRun.objects.filter(plan=second)[0]
    newer._state.adding = True
    newer.save()
    Entry.objects.filter(ranking__project=pool.project, taken=0).update(free=2, position=7)
    assisting.offer_rings(pool.project)
    assert wanted(pool, photo) == (0, 1)


def test_an_answer_that_agrees_settles_and_asks_nobody_else() -> None:
    pool = assisted_pool()
    photo = ring_photos(pool)[0]
    answer = say(pool, hand(pool, photo, pool.labelers[0]), "functional")
    truth = truth_of(photo)
    assert truth is not None and truth.origin == Origin.ASSISTED
    assert wanted(pool, photo) is None
    label = AssistedLabel.objects.get(item=photo)
    assert (label.annotation, label.certificate, label.audit) == (answer, certificate_of(pool), False)


def test_an_answer_that_differs_gets_its_second_person() -> None:
    pool = assisted_pool()
    photo = ring_photos(pool)[0]
    say(pool, hand(pool, photo, pool.labelers[0]), "defective")
    assert truth_of(photo) is None and wanted(pool, photo) == (1, 1)
    say(pool, hand(pool, photo, pool.labelers[1]), "defective")
    truth = truth_of(photo)
    assert truth is not None and truth.origin == Origin.AGREEMENT
    assert not AssistedLabel.objects.exists()


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_unless_the_machine_decides_one_answer_is_not_enough(mode: str) -> None:
    pool = assisted_pool()
    photo = ring_photos(pool)[0]
    pool.policy(mode=mode)
    say(pool, hand(pool, photo, pool.labelers[0]), "functional")
    assert truth_of(photo) is None and wanted(pool, photo) == (1, 1)


def test_a_photo_that_was_drawn_meanwhile_is_labeled_strictly() -> None:
    pool = assisted_pool()
    photo = ring_photos(pool)[0]
    slot = hand(pool, photo, pool.labelers[0])
    drawn = pool.draw(450)
    assert photo.pk in {item.pk for item in drawn}
    say(pool, slot, "functional")
    assert truth_of(photo) is None and wanted(pool, photo) == (1, 1)


def test_nothing_settles_after_the_certificate_has_ended() -> None:
    pool = assisted_pool()
    photo = ring_photos(pool)[0]
    slot = hand(pool, photo, pool.labelers[0])
    pool.policy(precision=0.9)
    say(pool, slot, "functional")
    assert truth_of(photo) is None and wanted(pool, photo) == (1, 1)


def test_by_lot_an_answer_that_agrees_gets_its_second_person_who_audits_the_others() -> None:
    pool = assisted_pool()
    photo = ring_photos(pool)[0]
    with patch.object(assisting._lot, "random", lambda: -1.0):
        say(pool, hand(pool, photo, pool.labelers[0]), "functional")
    assert AssistedLabel.objects.get(item=photo).audit
    assert truth_of(photo) is None and wanted(pool, photo) == (1, 1)
    say(pool, hand(pool, photo, pool.labelers[1]), "functional")
    truth = truth_of(photo)
    assert truth is not None and truth.origin == Origin.AGREEMENT
    pool.work()
    watch = AuditWatch.objects.get(project=pool.project, part="assisted")
    assert (watch.n, watch.errors, watch.waiting) == (1, 0, 0)


def test_with_too_many_audits_waiting_one_answer_settles_no_more() -> None:
    pool = assisted_pool()
    first, second = ring_photos(pool)[:2]
    with patch.object(assisting._lot, "random", lambda: -1.0):
        say(pool, hand(pool, first, pool.labelers[0]), "functional")
    with patch.object(assisting, "MOST_WAITING", 1):
        say(pool, hand(pool, second, pool.labelers[0]), "functional")
        assert truth_of(second) is None and wanted(pool, second) == (1, 1)
    with patch.object(class_status, "MOST_WAITING", 1):
        client = Client()
        client.force_login(pool.admin)
        page = client.get(reverse("frontier", args=[pool.project.slug])).content.decode()
        assert (
            "1 photo of “Functional” whose answer agreed with the machine waits for its second person" in page
        )


def test_audits_that_refute_agreement_suspend_it_and_its_labels_wait_for_their_second_person() -> None:
    pool = assisted_pool()
    ring = ring_photos(pool)
    kept, audited = ring[:3], ring[3:15]
    for photo in kept:
        say(pool, hand(pool, photo, pool.labelers[0]), "functional")
    with patch.object(assisting._lot, "random", lambda: -1.0):
        for photo in audited:
            say(pool, hand(pool, photo, pool.labelers[0]), "functional")
    for photo in audited:
        pool.settle(photo, "defective")
    pool.work()
    assert Certificate.objects.filter(
        project=pool.project, label_class=pool.classes["functional"], ends__kind="suspended"
    ).exists()
    for photo in kept:
        assert truth_of(photo) is None and wanted(pool, photo) == (1, 1)
    say(pool, hand(pool, kept[0], pool.labelers[1]), "functional")
    truth = truth_of(kept[0])
    assert truth is not None and truth.origin == Origin.AGREEMENT


def test_an_admin_who_suspends_is_told_of_assisted_labels_too() -> None:
    pool = assisted_pool()
    photo = ring_photos(pool)[0]
    say(pool, hand(pool, photo, pool.labelers[0]), "functional")
    certificate = certificate_of(pool)
    decided = AutomaticDecision.objects.filter(certificate=certificate).count()
    assert suspend(certificate=certificate, by=pool.admin, note="glare") == decided + 1


def test_an_answer_that_is_taken_back_settles_nothing() -> None:
    pool = assisted_pool()
    photo = ring_photos(pool)[0]
    answer = say(pool, hand(pool, photo, pool.labelers[0]), "functional")
    undo(project=pool.project, labeler=pool.labelers[0], key=answer.key)
    assert truth_of(photo) is None


def test_people_who_take_the_surest_of_a_ring_leave_a_rest_that_one_answer_no_longer_settles() -> None:
    pool = assisted_pool()
    ring = ring_photos(pool)
    with patch.object(assisting, "MOST_WAITING", 0):
        for photo in ring[:20]:
            say(pool, hand(pool, photo, pool.labelers[0]), "functional")
    certificate = certificate_of(pool)
    taken = assisting.taken_of_ring(certificate, {each.pk: each.pk for each in pool.classes.values()})
    assert certificate.ring_spare is not None and taken.known == 0
    # Of what people took none was wrong: the rest may be worse than the whole, up to what the ring has to spare.
    assert taken.leaves_what_holds(certificate) == (0.2 * taken.photos <= certificate.ring_spare)
    assisting.cache.clear()
    with patch.object(assisting, "taken_of_ring", lambda *_: TakenOfRing(10**6, 0)):
        say(pool, hand(pool, ring[-1], make_member(pool.project)), "functional")
    assert truth_of(ring[-1]) is None


def test_holds_count_as_errors_where_one_answer_may_settle() -> None:
    pool = make_pool(40)
    with pytest.raises(Refused, match="count against the machine"):
        pool.policy(promise="assisted", undecided_are_errors=False)


def test_a_delivered_set_is_certified_of_all_labels_with_a_floor_under_the_machine() -> None:
    pool = assisted_pool(promise="delivered", precision=0.9, floor=0.7, planned_labels=340)
    plan = CertificationPlan.objects.get(project=pool.project)
    assert (plan.promise, plan.precision, plan.floor) == ("delivered", 0.9, 0.7) and plan.path is not None
    certificates = [certificate_of(pool, key) for key in KEYS]
    assert {each.precision for each in certificates} == {0.7}
    assert len({(each.threshold, each.assisted, each.together) for each in certificates}) == 1
    assert certificates[0].together is not None and 0.0 < certificates[0].together < 1.0
    assert AutomaticDecision.objects.filter(project=pool.project).exists()
    photo = ring_photos(pool)[0]
    say(pool, hand(pool, photo, pool.labelers[0]), "functional")
    truth = truth_of(photo)
    assert truth is not None and truth.origin == Origin.ASSISTED


def test_of_a_delivered_set_audits_of_both_parts_together_are_watched_over_all_classes() -> None:
    pool = assisted_pool(promise="delivered", precision=0.9, floor=0.7, planned_labels=340)
    ring = [*ring_photos(pool, "functional")[:8], *ring_photos(pool, "defective")[:8]]
    with patch.object(assisting._lot, "random", lambda: -1.0):
        for photo in ring:
            say(pool, hand(pool, photo, pool.labelers[0]), pool.predicted[photo.pk])
    for photo in ring:
        pool.settle(photo, OTHER[pool.predicted[photo.pk]])
    pool.work()
    watch = AuditWatch.objects.get(project=pool.project, part="together")
    assert watch.label_class is None and watch.errors == 16
    assert not Certificate.objects.in_force().filter(project=pool.project).exists()
    assert Certificate.objects.filter(project=pool.project, ends__reason="audit").count() == 2
