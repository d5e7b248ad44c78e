"""What a paused labeler had answered goes back to people in bulk, with one note."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from labeling.queue.selectors import notes_for
from labeling.queue.services import append_arrivals, claim
from labeling.refusals import Refused
from labeling.truth.models import Dispute, Outcome, Ruling
from labeling.truth.paused_photos import of_paused, send_back_paused
from labeling.truth.settling import raise_dispute
from tests.factories import make_items, make_member, make_project
from tests.queue.conftest import answer_with

pytestmark = pytest.mark.django_db


def test_all_of_them_go_back_with_the_note_and_come_first() -> None:
    project = make_project(gold_rate=0.0, audit_rate=0.0)
    items = make_items(project, 6)
    append_arrivals(project=project, item_ids=[item.pk for item in items])
    reviewer, labeler, paused = (make_member(project, role) for role in ("reviewer", "labeler", "labeler"))
    for slot in claim(project=project, labeler=paused, count=3):
        answer_with(project, slot)
        raise_dispute(project, slot.item_id, 1, "paused")
    asked = set(Dispute.objects.values_list("item_id", flat=True))
    other = next(item for item in items if item.pk not in asked)
    raise_dispute(project, other.pk, 1, "requested")

    client = Client()
    client.force_login(reviewer)
    page = client.get(reverse("review", args=[project.slug])).content.decode()
    assert "Send all 3 photos of" in page
    back = reverse("review-paused-back", args=[project.slug])
    said = client.post(back, {"comment": "Anew, please"}, follow=True).content.decode()
    assert "3 photos were sent back." in said
    assert of_paused(project) == 0
    assert Ruling.objects.filter(outcome=Outcome.SEND_BACK, dispute__item__in=asked).count() == 3
    assert Dispute.objects.open().get().item_id == other.pk
    slots = claim(project=project, labeler=labeler, count=3)
    assert {slot.item_id for slot in slots} == asked
    assert set(notes_for(slots).values()) == {"Anew, please"}


def test_ones_own_answers_are_left_and_a_note_is_needed() -> None:
    project = make_project(gold_rate=0.0, audit_rate=0.0)
    items = make_items(project, 2)
    append_arrivals(project=project, item_ids=[item.pk for item in items])
    reviewer = make_member(project, "reviewer")
    (slot,) = claim(project=project, labeler=reviewer, count=1)
    answer_with(project, slot)
    for item in items:
        raise_dispute(project, item.pk, 1, "paused")
    with pytest.raises(Refused, match="comment"):
        send_back_paused(project=project, reviewer=reviewer, comment=" ")
    client = Client()
    client.force_login(reviewer)
    api = f"/api/v1/projects/{project.slug}/disputes/paused/back"
    sent = client.post(api, {"comment": "Anew"}, content_type="application/json")
    assert sent.json() == {"sent_back": 1, "left": 1}
    assert Dispute.objects.open().get().item_id == slot.item_id
