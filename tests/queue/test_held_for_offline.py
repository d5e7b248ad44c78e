"""What a page holds for going on without a network: long enough, not more than is fair, and in the order of now."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue import pace
from labeling.queue import services as queue
from labeling.queue.lending import AT_HAND, SHARE
from labeling.queue.models import BandOpening, Slot
from tests.factories import make_items, make_member, make_project

pytestmark = pytest.mark.django_db
FIVE = timedelta(minutes=5)


def _project(photos: int, **settings: int) -> tuple[Project, User]:
    project = make_project(answers_per_image=1, **settings)
    queue.append_arrivals(project=project, item_ids=[item.pk for item in make_items(project, photos)])
    return project, make_member(project)


def _at(moment: datetime):  # type: ignore[no-untyped-def]
    return patch.object(timezone, "now", lambda: moment)


@pytest.mark.parametrize("lease_seconds", [10, 60, 300, 3600])
def test_whoever_asks_in_time_can_always_go_offline_for_five_minutes(lease_seconds: int) -> None:
    project, person = _project(4, lease_seconds=lease_seconds)
    begun = timezone.now()
    for second in range(0, 1200, 40):
        with _at(begun + timedelta(seconds=second)):
            held = queue.claim_under(project=project, labeler=person, count=3, offline=FIVE).slots
            assert len(held) == 3
            assert all(slot.expires_at >= timezone.now() + FIVE for slot in held)
            assert all(
                slot.expires_at <= timezone.now() + FIVE + timedelta(seconds=lease_seconds) for slot in held
            )
    # Who does not go offline has the project's time, as before.
    other = make_member(project)
    (slot,) = queue.claim(project=project, labeler=other, count=1)
    assert slot.expires_at <= timezone.now() + timedelta(seconds=lease_seconds)


def test_beyond_what_is_at_hand_everybody_leaves_three_quarters_to_others() -> None:
    project, first = _project(200)
    held = len(queue.claim_under(project=project, labeler=first, count=150, offline=FIVE).slots)
    assert AT_HAND < held <= 200 // SHARE
    for _ in range(20):  # asking again and again does not take the rest
        again = len(queue.claim_under(project=project, labeler=first, count=150, offline=FIVE).slots)
        assert again <= 200 // SHARE
    others = [
        len(queue.claim_under(project=project, labeler=make_member(project), count=150, offline=FIVE).slots)
        for _ in range(3)
    ]
    assert all(number >= AT_HAND for number in others)


def test_in_a_small_project_the_first_twenty_are_anybodys() -> None:
    project, first = _project(30)
    assert len(queue.claim_under(project=project, labeler=first, count=150, offline=FIVE).slots) == AT_HAND
    second = make_member(project)
    assert len(queue.claim_under(project=project, labeler=second, count=150, offline=FIVE).slots) == 10


def test_what_nobody_looked_at_goes_back_and_what_comes_first_now_is_lent() -> None:
    project, person = _project(12)
    held = queue.claim_under(project=project, labeler=person, count=4, offline=FIVE).slots
    back = [slot.pk for slot in held[1:]]
    stranger = queue.claim(project=project, labeler=make_member(project), count=1)[0]
    now = queue.claim_under(
        project=project, labeler=person, count=4, offline=FIVE, back=[*back, stranger.pk]
    ).slots  # fmt: skip
    assert len(now) == 4
    assert held[0].pk in {slot.pk for slot in now}
    assert not Slot.objects.filter(pk__in=back).exists()
    assert Slot.objects.filter(pk=stranger.pk).exists()  # nobody gives back what is another's
    # A claim whose answer got lost can be repeated.
    again = queue.claim_under(project=project, labeler=person, count=4, offline=FIVE, back=back).slots
    assert {slot.pk for slot in again} == {slot.pk for slot in now}


def test_the_order_has_a_name_that_changes_with_it_and_tells_nothing() -> None:
    project, person = _project(12)
    client = Client()
    client.force_login(person)

    def told(**more: object) -> str:
        answer = client.post(
            f"/api/v1/projects/{project.slug}/claims", {"count": 2, **more}, content_type="application/json"
        )
        return str(answer.json()["order"])

    assert told() == ""
    first = told(offline_seconds=300)
    assert len(first) == 12
    assert told(offline_seconds=300) == first
    pace.go_on(project, BandOpening.Cause.ADMIN)
    assert told(offline_seconds=300) not in {first, ""}
    for wrong in ({"offline_seconds": 301}, {"offline_seconds": -1}, {"count": 151}, {"back": ["x"]}):
        refused = client.post(
            f"/api/v1/projects/{project.slug}/claims", wrong, content_type="application/json"
        )
        assert refused.status_code == 422
