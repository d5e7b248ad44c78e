"""An answer counts once, under its own key and at a believable time; a skip can be taken back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from labeling.queue import services
from labeling.queue.models import Entry, Slot
from labeling.refusals import Refused
from labeling.truth.services import Answer
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


def test_a_key_cannot_stand_for_two_different_answers(setting: Setting) -> None:
    slot = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    key = uuid4()

    def send(choice: str) -> services.Submission:
        return services.submit(
            project=setting.project,
            labeler=setting.ann,
            lease=slot.pk,
            key=key,
            answer=Answer(kind="class", class_key=choice),
            view_ms=300,
        )

    assert send("functional").created
    assert not send("functional").created
    with pytest.raises(Refused) as refusal:
        send("defective")
    assert refusal.value.code == "key_reused"


def test_a_key_whose_answer_was_taken_back_says_so(setting: Setting) -> None:
    slot = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    submission = answer_with(setting.project, slot)
    key = submission.annotation.key
    services.undo(project=setting.project, labeler=setting.ann, key=key)
    with pytest.raises(Refused) as refusal:
        services.submit(
            project=setting.project,
            labeler=setting.ann,
            lease=slot.pk,
            key=key,
            answer=Answer(kind="class", class_key="functional"),
            view_ms=300,
        )
    assert (refusal.value.code, refusal.value.status) == ("undone", 409)
    with pytest.raises(Refused) as refusal:
        send(setting, slot, key, Answer(kind="class", class_key="defective"))
    assert refusal.value.code == "undone" and "stands" not in refusal.value.message
    slot.refresh_from_db()
    assert answer_with(setting.project, slot).created, "a fresh key answers the photo again"


def send(setting: Setting, slot: Slot, key: UUID, answer: Answer) -> services.Submission:
    return services.submit(
        project=setting.project, labeler=setting.ann, lease=slot.pk, key=key, answer=answer, view_ms=300
    )


def test_a_key_cannot_stand_for_the_same_answer_with_another_reason(setting: Setting) -> None:
    slot, key = services.claim(project=setting.project, labeler=setting.ann, count=1)[0], uuid4()
    assert send(setting, slot, key, Answer("hold", reason="between")).created
    assert not send(setting, slot, key, Answer("hold", reason="between")).created
    for reason, code in (("hidden", "key_reused"), ("blurred", "invalid"), ("", "invalid")):
        with pytest.raises(Refused) as refusal:
            send(setting, slot, key, Answer("hold", reason=reason))
        assert refusal.value.code == code


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (Answer("hold", class_key="functional", reason="between"), "class"),
        (Answer("unusable", class_key="functional", reason="blurred"), "class"),
        (Answer("class", class_key="functional", reason="between"), "reason"),
    ],
)
def test_an_answer_that_contradicts_itself_is_refused_and_the_photo_stays_on_loan(
    setting: Setting, answer: Answer, field: str
) -> None:
    slot = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    with pytest.raises(Refused) as refusal:
        send(setting, slot, uuid4(), answer)
    assert refusal.value.status == 422 and field in refusal.value.fields
    assert answer_with(setting.project, slot).created


def test_what_is_said_of_a_lease_is_true_and_does_not_tell_whose_it_is(setting: Setting) -> None:
    project = setting.project
    functional = Answer("class", class_key="functional")

    def told(slot: Slot) -> str:
        with pytest.raises(Refused) as refusal:
            send(setting, slot, uuid4(), functional)
        assert (refusal.value.code, refusal.value.status) == ("lease_expired", 409)
        return refusal.value.message

    (theirs,) = services.claim(project=project, labeler=setting.bob, count=1)
    skipped, given_back = services.claim(project=project, labeler=setting.ann, count=2)
    services.skip(project=project, labeler=setting.ann, lease=skipped.pk)
    services.release(project=project, labeler=setting.ann, lease=given_back.pk)
    assert "skipped" in told(skipped)
    unknown = told(Slot(pk=uuid4()))
    assert told(theirs) == told(given_back) == unknown
    assert "skipped" not in unknown and "somebody else" not in unknown


def test_a_clock_that_is_ahead_means_now_and_one_that_is_days_ahead_is_told(setting: Setting) -> None:
    slot = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]

    def send(ahead: timedelta) -> services.Submission:
        return services.submit(
            project=setting.project,
            labeler=setting.ann,
            lease=slot.pk,
            key=uuid4(),
            answer=Answer(kind="class", class_key="functional"),
            shown_at=timezone.now() + ahead,
            view_ms=300,
        )

    with pytest.raises(Refused) as refusal:
        send(timedelta(days=40))
    assert (refusal.value.status, set(refusal.value.fields)) == (422, {"shown_at"})
    annotation = send(timedelta(hours=2)).annotation
    assert annotation.shown_at is not None and annotation.shown_at <= annotation.created_at


def test_a_skip_is_taken_back_unless_others_have_the_photo(setting: Setting) -> None:
    project = setting.project
    slot = services.claim(project=project, labeler=setting.ann, count=1)[0]
    before = Entry.objects.filter(ranking=setting.ranking, item_id=slot.item_id).values().get()
    services.skip(project=project, labeler=setting.ann, lease=slot.pk)
    for _ in range(2):  # repeating it changes nothing
        again = services.unskip(project=project, labeler=setting.ann, lease=slot.pk)
        assert (again.pk, again.number) == (slot.pk, 0)
    assert Entry.objects.filter(ranking=setting.ranking, item_id=slot.item_id).values().get() == before

    services.skip(project=project, labeler=setting.ann, lease=slot.pk)
    Entry.objects.filter(ranking=setting.ranking, item_id=slot.item_id).update(free=0)
    with pytest.raises(Refused) as refusal:
        services.unskip(project=project, labeler=setting.ann, lease=slot.pk)
    assert refusal.value.code == "undo_too_late"
    Slot.objects.filter(pk=slot.pk).update(skipped_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(Refused) as refusal:
        services.unskip(project=project, labeler=setting.ann, lease=slot.pk)
    assert refusal.value.code == "undo_too_late"
