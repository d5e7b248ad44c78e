"""A fresh ruling can be taken back: all is as before, by rows that are added, and the photo is ruled anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from labeling.queue.models import Entry
from labeling.refusals import Refused
from labeling.truth import selectors, services
from labeling.truth.current import open_dispute, truth_in_force
from labeling.truth.models import Dispute, DisputeCause, GroundTruth, Origin, Ruling, RulingRetraction
from labeling.truth.own_answers import own_answers
from labeling.truth.services import request_review, rule, undo_ruling
from tests.truth.test_review_page import DESK, Scene

pytestmark = pytest.mark.django_db


def ruled(scene: Scene, outcome: str = "class", key: str = "defective", **more: str) -> Ruling:
    return rule(
        project=scene.project,
        dispute_id=open_dispute(scene.items[0].pk).pk,  # type: ignore[union-attr]
        reviewer=scene.reviewer,
        outcome=outcome,
        class_key=key if outcome == "class" else "",
        **more,
    )


def undone(scene: Scene, ruling: Ruling) -> Dispute:
    return undo_ruling(project=scene.project, dispute_id=ruling.dispute_id, reviewer=scene.reviewer)


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    later = timezone.now() + timedelta(seconds=seconds)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)


def test_an_undone_ruling_leaves_the_photo_in_dispute_with_its_answers_and_names_hidden() -> None:
    scene = Scene()
    ruling = ruled(scene)
    again = undone(scene, ruling)
    assert again.pk != ruling.dispute_id
    assert (again.cause, again.round) == (DisputeCause.DISAGREEMENT, 1)
    assert truth_in_force(scene.items[0].pk) is None
    assert GroundTruth.objects.filter(item=scene.items[0], origin=Origin.UNDONE).count() == 1
    assert Ruling.objects.get() == ruling, "what was ruled stays on record"
    page = scene.client().get(scene.url("review-dispute", ruling.dispute), follow=True).content.decode()
    assert f'data-dispute="{again.pk}"' in page
    assert "zoe-one" not in page
    assert not any(each.name for each in selectors.dispute_detail(ruling.dispute).answers)
    assert undone(scene, ruling) == again, "a second undo changes nothing"
    assert RulingRetraction.objects.count() == 1
    second = ruled(scene, key="functional")
    assert truth_in_force(scene.items[0].pk).label_class.key == "functional"  # type: ignore[union-attr]
    assert [each.pk for each, _text in selectors.recent_rulings(scene.project)] == [second.pk]


def test_an_undo_is_append_only() -> None:
    scene = Scene()
    undone(scene, ruled(scene))
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        RulingRetraction.objects.all().delete()


@pytest.mark.parametrize("outcome", ["class", "hold", "send_back"])
def test_what_was_in_force_before_is_again(outcome: str) -> None:
    scene = Scene()
    ruled(scene, key="functional")
    before = truth_in_force(scene.items[0].pk)
    request_review(project=scene.project, item=scene.items[0], by=None)
    ruling = ruled(scene, outcome, comment="Look again")
    assert truth_in_force(scene.items[0].pk) != before
    undone(scene, ruling)
    now = truth_in_force(scene.items[0].pk)
    assert before is not None and now is not None
    assert [getattr(now, name) for name in ("kind", "label_class_id", "origin", "draw", "guideline_id")] == [
        getattr(before, name) for name in ("kind", "label_class_id", "origin", "draw", "guideline_id")
    ]
    assert open_dispute(scene.items[0].pk) is not None


def test_the_queue_does_not_offer_a_photo_whose_ruling_was_undone() -> None:
    scene = Scene()
    for outcome in ("class", "send_back"):
        undone(scene, ruled(scene, outcome, comment="Look again"))
        assert not Entry.objects.filter(item=scene.items[0], ranking__project=scene.project).exists()


def test_an_undo_is_refused_late_for_others_and_after_another_ruling(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(count=2)
    ruling = ruled(scene)
    with pytest.raises(Refused) as strange:
        undo_ruling(project=scene.project, dispute_id=ruling.dispute_id, reviewer=scene.project.created_by)
    assert (strange.value.code, strange.value.status) == ("not_found", 404)
    request_review(project=scene.project, item=scene.items[0], by=None)
    ruled(scene, key="functional")
    with pytest.raises(Refused) as since:
        undone(scene, ruling)
    assert since.value.code == "already_ruled"
    late = rule(
        project=scene.project, dispute_id=scene.disputes[1].pk, reviewer=scene.reviewer, outcome="hold"
    )
    at(monkeypatch, scene.project.undo_seconds + 1)
    with pytest.raises(Refused, match="for 60 seconds") as refused:
        undone(scene, late)
    assert refused.value.code == "undo_too_late"
    assert not RulingRetraction.objects.exists()


def test_a_labeler_may_take_an_answer_back_after_the_ruling_on_it_was_undone() -> None:
    scene = Scene()
    undone(scene, ruled(scene))
    key = scene.items[0].annotations.get(labeler=scene.zoe).key
    services.retract_answer(project=scene.project, labeler=scene.zoe, key=key)
    assert open_dispute(scene.items[0].pk) is None


def test_the_desk_offers_the_undo_as_long_as_it_is_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(count=2)
    client = scene.client()
    ruled_page = client.post(scene.url(), {"ruling": "class:defective"}, headers=DESK).content.decode()
    assert 'data-key="z"' in ruled_page
    reloaded = client.get(scene.review).content.decode()
    assert 'data-key="z"' in reloaded
    undo = f"{scene.review}/undo"
    back = client.post(undo, {"dispute": str(scene.disputes[0].pk)}, headers=DESK)
    assert back.status_code == 200
    again = open_dispute(scene.items[0].pk)
    assert again is not None and f'data-dispute="{again.pk}"' in back.content.decode()
    client.post(scene.url(dispute=again), {"ruling": "class:functional"}, headers=DESK)
    at(monkeypatch, scene.project.undo_seconds + 1)
    assert 'data-key="z"' not in client.get(scene.review).content.decode()
    late = client.post(undo, {"dispute": str(again.pk)}, headers=DESK)
    assert late.status_code == 409
    assert "for 60 seconds" in late.content.decode()
    assert client.post(undo, {"dispute": "nonsense"}, headers=DESK).status_code == 422
    assert client.post(undo, {}, headers=DESK).status_code == 422


def test_whoever_has_read_who_answered_does_not_take_the_ruling_back() -> None:
    scene = Scene(count=3)
    client = scene.client()
    for dispute in scene.disputes[:2]:
        client.post(scene.url(dispute=dispute), {"ruling": "class:defective"}, headers=DESK)
    assert "zoe-one" in client.get(scene.url("review-dispute", scene.disputes[1])).content.decode()
    assert 'data-key="z"' not in client.get(scene.review).content.decode()
    undo = f"{scene.review}/undo"
    refused = client.post(undo, {"dispute": str(scene.disputes[1].pk)}, headers=DESK)
    assert refused.status_code == 409
    assert "You have read who answered" in refused.content.decode()
    both = client.post(undo, {"dispute": [str(each.pk) for each in scene.disputes[:2]]}, headers=DESK)
    assert "You have read who answered" in both.content.decode()
    assert RulingRetraction.objects.get().ruling.dispute == scene.disputes[0]


def test_labelers_read_the_note_beside_an_answer_that_was_overruled_once_nothing_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()

    def told() -> list[str]:
        ends = [each.settled_as for who in (scene.zoe, scene.yan) for each in own_answers(scene.project, who)]
        return [f"{end.label}: {end.ruling.note}" for end in ends if end and end.ruling and not end.same]

    first = ruled(scene, note="The dark corner is a crack.")
    assert told() == [], "it may still be undone"
    undone(scene, first)
    ruled(scene, note=" The dark corner is a crack. ", comment="for reviewers only")
    at(monkeypatch, scene.project.undo_seconds + 1)
    assert told() == ["Defective: The dark corner is a crack."]
    request_review(project=scene.project, item=scene.items[0], by=None)
    assert told() == [], "whoever is asked again must not know"
