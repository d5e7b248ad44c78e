"""A photo that a reviewer sent back comes again soon, with what the reviewer said, in a new round."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from labeling.people.models import User
from labeling.queue import services
from labeling.queue.models import BandOpening, Ranking, Slot
from labeling.queue.ranking import swap_in
from labeling.queue.selectors import notes_for
from labeling.truth.current import open_dispute, truth_in_force
from labeling.truth.models import Annotation, Dispute, Draw, Pause
from labeling.truth.services import add_gold, request_review, retire_gold, rule
from tests.factories import make_member
from tests.queue.conftest import Setting, answer_with, rank_by_hand

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


@pytest.mark.parametrize("second", ["functional", "defective"])
def test_answers_to_a_round_that_was_ended_are_kept_and_decide_nothing(setting: Setting, second: str) -> None:
    """Both had it on loan when it was sent back: what they say of it then is not what they were asked anew."""
    project = setting.project
    loans = [
        services.claim(project=project, labeler=person, count=1)[0] for person in (setting.ann, setting.bob)
    ]
    sent = loans[0].item_id
    assert loans[1].item_id == sent
    dispute = request_review(project=project, item=loans[0].item, by=project.created_by)
    _send_back(setting, dispute, make_member(project, "reviewer"))
    for loan, said in zip(loans, ("functional", second), strict=True):
        answer_with(project, loan, said)
    assert Annotation.objects.standing().filter(item=sent, round=1).count() == 2
    assert truth_in_force(sent) is None and open_dispute(sent) is None
    for person in (setting.ann, setting.bob):
        (again,) = services.claim(project=project, labeler=person, count=1)
        assert (again.item_id, again.round) == (sent, 2)
        answer_with(project, again, "defective")
    truth = truth_in_force(sent)
    assert truth is not None and truth.label_class is not None and truth.label_class.key == "defective"


def test_a_pause_brings_no_answer_of_an_ended_round_to_review(setting: Setting) -> None:
    project = setting.project
    project.gold_window, project.gold_bar = 1, 1.0
    project.save()
    sent = _sent_back(setting, make_member(project, "reviewer"))
    (waiting,) = (
        slot for slot in services.claim(project=project, labeler=setting.ann, count=2) if slot.round == 1
    )
    answer_with(project, waiting, "functional")
    gold = setting.items[-1]
    add_gold(project=project, item=gold, class_key="functional", by=project.created_by)
    project.gold_rate = 1.0
    project.save()
    asked = next(
        slot
        for slot in services.claim(project=project, labeler=setting.ann, count=5)
        if slot.item_id == gold.pk
    )
    answer_with(project, asked, "defective")
    assert Pause.objects.filter(labeler=setting.ann).exists()
    assert {each.item_id for each in Dispute.objects.open()} == {waiting.item_id} and waiting.item_id != sent


@pytest.mark.parametrize("band", [1, 2])
def test_a_photo_that_was_sent_back_comes_first_wherever_the_queue_stands(
    setting: Setting, band: int
) -> None:
    reviewer = make_member(setting.project, "reviewer")
    dispute = _disputed(setting)
    BandOpening.objects.create(project=setting.project, band=band, cause="pace", figures={})
    _send_back(setting, dispute, reviewer)
    for person in (setting.ann, setting.bob):
        (first,) = services.claim(project=setting.project, labeler=person, count=1)
        assert (first.item_id, first.round) == (dispute.item_id, 2)


def test_the_order_that_takes_over_still_has_it_first(setting: Setting) -> None:
    """Such a photo was in dispute, or settled, when the order was made, so that it is not in it."""
    sent = _sent_back(setting, make_member(setting.project, "reviewer"))
    BandOpening.objects.create(project=setting.project, band=1, cause="pace", figures={})
    others = [item for item in setting.items if item.pk != sent]
    following = rank_by_hand(setting.project, others)
    Ranking.objects.filter(pk=following.pk).update(current=False)
    Ranking.objects.filter(pk=setting.ranking.pk).update(current=True)
    swap_in(ranking=following, read_at=timezone.now())
    (first,) = services.claim(project=setting.project, labeler=setting.ann, count=1)
    assert (first.item_id, first.round) == (sent, 2)


def test_the_screen_is_told_how_many_times_it_was_sent_back(setting: Setting, client: Client) -> None:
    sent = _sent_back(setting, make_member(setting.project, "reviewer"))
    client.force_login(setting.ann)
    url = f"/api/v1/projects/{setting.project.slug}/claims"
    (task,) = client.post(url, {"count": 1}, content_type="application/json").json()["tasks"]
    image = setting.project.items.get(pk=sent).image
    assert (task["photo"]["sha256"], task["sent_back"]) == (image.sha256, 1)
    assert task["note"] == "Look at the lower left corner"


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
    dispute = _disputed(setting)
    _send_back(setting, dispute, reviewer)
    return dispute.item_id


def _disputed(setting: Setting) -> Dispute:
    mine = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    answer_with(setting.project, mine, "functional")
    theirs = services.claim(project=setting.project, labeler=setting.bob, count=1)[0]
    answer_with(setting.project, theirs, "defective")
    dispute = open_dispute(mine.item_id)
    assert dispute is not None and theirs.item_id == mine.item_id
    return dispute


def _send_back(setting: Setting, dispute: Dispute, reviewer: User) -> None:
    rule(
        project=setting.project,
        dispute_id=dispute.pk,
        reviewer=reviewer,
        outcome="send_back",
        comment="Look at the lower left corner",
    )


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
