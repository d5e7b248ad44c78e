"""Disputes are filtered by why they came and between which classes people differ; the filter stays from one to the next."""

from __future__ import annotations

import pytest
from django.urls import reverse

from labeling.catalog.services import amend_guideline
from labeling.truth.filtering import Wanted, choices
from labeling.truth.models import Dispute
from labeling.truth.services import request_review
from tests.factories import make_items, make_member, make_project
from tests.truth.test_review_page import DESK, Scene, answered

pytestmark = pytest.mark.django_db


def test_a_filter_shows_its_disputes_alone_and_stays_after_a_ruling_and_a_later() -> None:
    scene = Scene(count=1)
    held = make_items(scene.project, 2)
    for item in held:
        answered(scene.project, item, scene.zoe, "hold")
    client = scene.client()
    first, second = Dispute.objects.filter(cause="hold").order_by("created_at", "id")
    page = client.get(f"{scene.review}?cause=hold").content.decode()
    assert f'data-dispute="{first.pk}"' in page
    assert f"review/{scene.disputes[0].pk}" not in page, "nor in the strip"
    assert '<b class="num">2</b> of 3 open' in page
    later = client.get(f"{scene.url('review-dispute', first)}?cause=hold&skip", follow=True)
    assert f'data-dispute="{second.pk}"' in later.content.decode()
    assert later.redirect_chain[-1][0].endswith("?cause=hold")
    ruling = f"{scene.url(dispute=first)}?cause=hold"
    page = client.post(ruling, {"ruling": "hold"}, headers=DESK).content.decode()
    assert f'data-dispute="{second.pk}"' in page
    page = client.post(
        f"{scene.url(dispute=second)}?cause=hold", {"ruling": "hold"}, headers=DESK
    ).content.decode()
    assert "No dispute of this kind waits for you" in page
    assert scene.disputes[0] == Dispute.objects.open().get()


def test_pairs_follow_merges_and_do_not_tell_what_others_answered_to_ones_own_photo() -> None:
    project = make_project(classes=("functional", "crack", "dark", "stain"))
    zoe, yan, reviewer = make_member(project), make_member(project), make_member(project, "reviewer")
    items = make_items(project, 4)
    said = [("functional", "crack"), ("functional", "dark"), ("crack", "functional"), ("functional", "crack")]
    for item, keys in zip(items, said, strict=True):
        for who, key in zip((reviewer if item == items[3] else zoe, yan), keys, strict=True):
            answered(project, item, who, key)

    def shown(*between: str) -> set[int]:
        found = Wanted(between=between).of_open(project, reviewer)
        return set(found.values_list("item_id", flat=True))

    offered = {each.name: each.count for each in choices(project, reviewer, Wanted())}
    assert offered == {"The answers differ": 4, "Functional / Crack": 2, "Functional / Dark": 1}
    assert shown("functional", "crack") == {items[0].pk, items[2].pk}
    assert shown("functional", "dark") == {items[1].pk}
    assert shown("functional", "nothing") == set()
    amend_guideline(project=project, by=project.created_by, note="one class", merge={"crack": "dark"})
    assert shown("functional", "dark") == {items[0].pk, items[1].pk, items[2].pk}


def test_an_unknown_cause_is_refused_and_says_which_there_are() -> None:
    scene = Scene()
    response = scene.client().get(f"{scene.review}?cause=nothing")
    assert response.status_code == 422
    assert "disagreement, hold, paused" in response.content.decode()


def test_a_class_named_again_asks_no_more_and_too_many_are_refused() -> None:
    # 200 times the same class were 200 questions in one, for which the database planned half a minute.
    assert Wanted.of({"between": ",".join(["functional"] * 2000)}) == Wanted(between=("functional",))
    scene = Scene(count=1)
    response = scene.client().get(f"{scene.review}?between={','.join(f'class-{n}' for n in range(13))}")
    assert response.status_code == 422
    assert "at most 12 classes" in response.content.decode()


def test_what_is_offered_says_nothing_of_the_machine_and_the_audit() -> None:
    scene = Scene(count=1)
    other = make_items(scene.project, 1)[0]
    request_review(project=scene.project, item=other, by=None)
    page = scene.client().get(reverse("review", args=[scene.project.slug])).content.decode()
    offered = [each.query for each in choices(scene.project, scene.reviewer, Wanted())]
    assert offered == ["?cause=disagreement", "?cause=requested"]
    assert all(f'href="{scene.review}{query}"' in page for query in offered)
