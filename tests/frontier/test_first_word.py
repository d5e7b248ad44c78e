"""What certifies is the first word that people gave on a drawn photo, blind: no later one, and none that was told."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from labeling.catalog.models import Item
from labeling.catalog.services import amend_guideline
from labeling.frontier.models import AuditWatch, AutomaticDecision, Certificate, CertificationRun
from labeling.frontier.picture import band_photos
from labeling.frontier.services import decide, overrule, request_certification, suspend
from labeling.queue.models import Entry
from labeling.truth.models import Dispute, DisputeCause, GroundTruth
from labeling.truth.services import Answer, Viewing, record_answer, request_review, retract_answer, rule
from tests.factories import make_member
from tests.frontier.proving import KEYS, Pool, certified_pool, make_pool

pytestmark = pytest.mark.django_db


def planned(**settings: Any) -> Pool:
    """A pool whose plan is written before anything is drawn."""
    pool = make_pool(**settings)
    pool.policy(precision=0.9, planned_labels=160)
    look(pool)
    return pool


def look(pool: Pool) -> CertificationRun:
    request_certification(project=pool.project, by=pool.admin)
    pool.work()
    return CertificationRun.objects.filter(project=pool.project).latest("pk")


def other(pool: Pool, item: Item) -> str:
    return KEYS[1 - KEYS.index(pool.predicted[item.pk])]


def say(pool: Pool, item: Item, key: str, *, round: int = 1) -> list[uuid.UUID]:
    """Both labelers answer blind; their keys."""
    keys = []
    for labeler in pool.labelers:
        keys.append(uuid.uuid4())
        record_answer(
            project=pool.project,
            labeler=labeler,
            key=keys[-1],
            answer=Answer("class", key),
            viewing=Viewing(item.pk, round, "audit", {}),
        )
    return keys


def review(pool: Pool, item: Item, outcome: str, key: str = "", cause: str = DisputeCause.SUSPICIOUS) -> None:
    """As the model asks for it, with its opinion beside, or an admin; ruled by a reviewer."""
    request_review(
        project=pool.project, item=item, by=pool.admin, cause=cause, note="Version 1 would say this"
    )
    dispute = Dispute.objects.open().get(item=item)
    rule(
        project=pool.project,
        dispute_id=dispute.pk,
        reviewer=make_member(pool.project, "reviewer"),
        outcome=outcome,
        class_key=key,
        comment="Look again",
    )


def errors(run: CertificationRun) -> int:
    return sum(walk["steps"][-1]["errors"] for walk in run.walks.values())


def test_a_review_that_the_model_asked_for_changes_the_ground_truth_and_not_the_proof() -> None:
    pool = planned()
    (item,) = pool.draw(1)
    say(pool, item, other(pool, item))
    assert errors(look(pool)) == 1
    review(pool, item, "class", pool.predicted[item.pk])
    run = look(pool)
    assert GroundTruth.objects.current().get(item=item).label_class.key == pool.predicted[item.pk]
    assert (run.item_ids, errors(run)) == ([item.pk], 1)


def test_a_photo_that_was_sent_back_keeps_its_first_word_however_often_it_is_asked() -> None:
    pool = planned()
    (item,) = pool.draw(1)
    say(pool, item, other(pool, item))
    review(pool, item, "send_back")
    run = look(pool)
    assert (run.item_ids, errors(run), run.counts["open"]) == ([item.pk], 1, 0)
    say(pool, item, pool.predicted[item.pk], round=2)
    assert errors(look(pool)) == 1


def test_an_answer_that_its_labeler_takes_back_is_no_word_and_voids_what_rests_on_it() -> None:
    pool = certified_pool(undo_seconds=600)
    certificate = Certificate.objects.in_force().filter(project=pool.project)[0]
    (item,) = pool.draw(1)
    keys = say(pool, item, other(pool, item))
    assert item.pk in look(pool).item_ids
    retract_answer(project=pool.project, labeler=pool.labelers[0], key=keys[0])
    pool.work()
    run = look(pool)
    assert (item.pk in run.item_ids, run.counts["open"]) == (False, 1)
    record_answer(
        project=pool.project,
        labeler=pool.labelers[0],
        key=uuid.uuid4(),
        answer=Answer("class", other(pool, item)),
        viewing=Viewing(item.pk, 1, "audit", {}),
    )
    assert item.pk in look(pool).item_ids
    assert not certificate.ends.exists(), "it did not rest on that photo"


def test_a_later_word_does_not_void_a_certificate_and_an_undone_one_does() -> None:
    pool = planned(undo_seconds=600)
    drawn = pool.draw(200)
    undone, ruled = drawn[:2]
    keys = say(pool, undone, pool.predicted[undone.pk])
    say(pool, ruled, pool.predicted[ruled.pk])
    pool.settle_all((item, None) for item in drawn if item not in (undone, ruled))
    run = look(pool)
    assert {undone.pk, ruled.pk} <= set(run.item_ids)
    certificates = list(Certificate.objects.in_force().filter(project=pool.project))
    assert len(certificates) == 2
    review(pool, ruled, "class", other(pool, ruled), cause=DisputeCause.REQUESTED)
    assert not any(each.ends.exists() for each in certificates)
    retract_answer(project=pool.project, labeler=pool.labelers[0], key=keys[0])
    assert {each.ends.get().reason for each in certificates} == {"sample"}


def test_a_word_at_a_review_before_anybody_answered_counts_as_wrong() -> None:
    pool = planned()
    (item,) = pool.draw(1)
    review(pool, item, "class", pool.predicted[item.pk], cause=DisputeCause.REQUESTED)
    run = look(pool)
    assert (run.item_ids, errors(run)) == ([item.pk], 1)


def test_exemplars_and_their_near_duplicates_neither_certify_nor_are_decided() -> None:
    pool = make_pool()
    shown, twin = pool.items[0], pool.items[2]
    Item.objects.filter(pk__in=[shown.pk, twin.pk]).update(twins_of=shown.pk)
    amend_guideline(
        project=pool.project,
        by=pool.admin,
        note="Exemplars",
        exemplars={"functional": [shown.image.sha256]},
    )
    pool.policy(precision=0.6, planned_labels=160)
    look(pool)
    pool.settle_all((item, None) for item in pool.draw(390))
    run = look(pool)
    assert len(run.item_ids) > 300
    assert not {shown.pk, twin.pk} & set(run.item_ids)
    late = pool.new_photos(2, margin=0.999)
    Item.objects.filter(pk=late[0].pk).update(twins_of=shown.pk)
    pool.policy(mode="on", audit_share=0.0)
    decide(project=pool.project)
    assert not AutomaticDecision.objects.filter(item__in=[shown, twin, late[0]]).exists()


def test_what_the_machine_decided_neither_certifies_another_version_nor_is_decided_again() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.0)
    decide(project=pool.project)
    decisions = AutomaticDecision.objects.filter(project=pool.project)
    overruled, suspended = decisions.filter(label_class__key="functional")[:2]
    stands = decisions.filter(label_class__key="defective")[0]
    overrule(decision=overruled, by=pool.admin, reason="A crack")
    suspend(certificate=suspended.certificate, by=pool.admin, note="New camera")
    told = {each.item_id for each in (overruled, suspended, stands)}
    before = set(decisions.values_list("pk", flat=True))
    pool.model = pool.train([])
    look(pool)
    drawn = pool.draw(len(pool.items))
    assert told <= {item.pk for item in drawn}
    fresh = [item for item in drawn if not GroundTruth.objects.filter(item=item).exists()]
    pool.settle_all((item, None) for item in fresh)
    assert not told & set(look(pool).item_ids)
    decide(project=pool.project)
    assert set(decisions.filter(item__in=told).values_list("pk", flat=True)) <= before


def test_the_watch_takes_the_first_word_on_an_audited_photo_too() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=1.0)
    decide(project=pool.project)
    item = AutomaticDecision.objects.filter(label_class__key="functional").order_by("id")[0].item
    say(pool, item, other(pool, item))
    pool.work()
    review(pool, item, "class", pool.predicted[item.pk])
    pool.work()
    watch = AuditWatch.objects.get(label_class__key="functional", n__gt=0)
    assert (watch.n, watch.errors) == (1, 1)


def test_the_pictures_of_a_band_which_say_its_class_show_no_drawn_photo() -> None:
    pool = make_pool(40)
    Entry.objects.filter(ranking__project=pool.project).update(
        band=0, ladder=pool.classes["functional"], taken=0
    )
    assert len(band_photos(pool.project, "functional", 0)) > 0
    drawn = {item.pk for item in pool.draw(36)}
    Entry.objects.filter(ranking__project=pool.project).update(band=0)
    shown = {item.pk for item in band_photos(pool.project, "functional", 0)}
    assert len(shown) == 4
    assert not shown & drawn
