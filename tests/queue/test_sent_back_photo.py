"""A photo that a reviewer sent back comes again soon, with what the reviewer said, in a new round."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.people.models import User
from labeling.queue import services
from labeling.queue.models import Slot
from labeling.queue.selectors import notes_for
from labeling.truth.current import open_dispute, truth_in_force
from labeling.truth.models import Draw
from labeling.truth.services import add_gold, request_review, retire_gold, rule
from tests.factories import make_member
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


def test_a_photo_sent_back_is_asked_again_with_the_reviewers_words(setting: Setting) -> None:
    sent = _sent_back(setting, make_member(setting.project, "reviewer"))
    again = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    assert (again.item_id, again.round) == (sent, 2)
    assert notes_for([again]) == {sent: "Look at the lower left corner"}
    answer_with(setting.project, again, "defective")
    other = services.claim(project=setting.project, labeler=setting.bob, count=1)[0]
    assert other.item_id == sent
    answer_with(setting.project, other, "defective")
    assert open_dispute(sent) is None


def test_who_sent_a_photo_back_has_read_the_answers_and_is_not_asked(setting: Setting) -> None:
    project = setting.project
    reviewer = make_member(project, "reviewer")
    sent = _sent_back(setting, reviewer)

    def held_by_the_reviewer() -> set[int]:
        return {slot.item_id for slot in services.claim(project=project, labeler=reviewer, count=32)}

    assert sent not in held_by_the_reviewer(), "as a fresh photo"
    again = services.claim(project=project, labeler=setting.ann, count=1)[0]
    assert (again.item_id, again.round) == (sent, 2)
    assert sent not in held_by_the_reviewer(), "as a begun one"
    past = timezone.now() - timedelta(minutes=1)
    Slot.objects.filter(pk=again.pk).update(leased_at=past, expires_at=past)
    assert sent not in held_by_the_reviewer(), "as one whose lease ran out"
    assert services.claim(project=project, labeler=setting.bob, count=1)[0].item_id == sent


def test_who_ruled_on_a_gold_photo_is_not_checked_with_it(setting: Setting) -> None:
    project = setting.project
    reviewer = make_member(project, "reviewer")
    gold = setting.items[-1]
    add_gold(project=project, item=gold, class_key="functional", by=project.created_by)
    dispute = request_review(project=project, item=gold, by=project.created_by)
    rule(
        project=project,
        dispute_id=dispute.pk,
        reviewer=reviewer,
        outcome="class",
        class_key="functional",
    )
    project.gold_rate = 1.0
    project.save()
    assert services.claim(project=project, labeler=setting.ann, count=1)[0].item_id == gold.pk
    assert services.claim(project=project, labeler=reviewer, count=1)[0].item_id != gold.pk


def _sent_back(setting: Setting, reviewer: User) -> int:
    mine = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    answer_with(setting.project, mine, "functional")
    theirs = services.claim(project=setting.project, labeler=setting.bob, count=1)[0]
    answer_with(setting.project, theirs, "defective")
    dispute = open_dispute(mine.item_id)
    assert dispute is not None and theirs.item_id == mine.item_id
    rule(
        project=setting.project,
        dispute_id=dispute.pk,
        reviewer=reviewer,
        outcome="send_back",
        comment="Look at the lower left corner",
    )
    return mine.item_id


def test_a_gold_photo_that_was_sent_back_is_answered_and_settled_like_any_other(setting: Setting) -> None:
    project = setting.project
    gold = setting.items[-1]
    known = add_gold(project=project, item=gold, class_key="functional", by=project.created_by)
    project.gold_rate = 1.0
    project.save()
    asked = services.claim(project=project, labeler=setting.ann, count=1)[0]
    assert asked.item_id == gold.pk
    answer_with(project, asked, "defective")
    retire_gold(gold=known, by=project.created_by)
    dispute = request_review(project=project, item=gold, by=project.created_by)
    rule(
        project=project,
        dispute_id=dispute.pk,
        reviewer=make_member(project, "reviewer"),
        outcome="send_back",
        comment="Is that a crack?",
    )
    for person in (setting.ann, setting.bob):
        (slot,) = (
            slot
            for slot in services.claim(project=project, labeler=person, count=31)
            if slot.item_id == gold.pk
        )
        assert (slot.round, slot.draw) == (2, Draw.RANK)
        answer_with(project, slot, "defective")
    truth = truth_in_force(gold.pk)
    assert truth is not None and truth.label_class is not None
    assert (truth.label_class.key, truth.origin) == ("defective", "agreement")
