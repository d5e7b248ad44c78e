"""A person's last answers: what was overruled is told once nobody waits for the photo, and never what is gold."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling.catalog.models import Item, Project
from labeling.people.models import User
from labeling.truth import services
from labeling.truth.current import open_dispute
from labeling.truth.own_answers import own_answers
from tests.factories import make_items, make_member, make_project
from tests.truth.test_strict_rules import answer

pytestmark = pytest.mark.django_db


def page(project: Project, person: User) -> str:
    client = Client()
    client.force_login(person)
    response = client.get(f"/p/{project.slug}/mine")
    assert response.status_code == 200
    return str(response.content.decode())


def row(html: str, item: Item) -> str:
    """What stands beside this photo, without what names it and when."""
    found = [part for part in html.split('<li class="own-answer">')[1:] if item.image.sha256 in part]
    assert len(found) == 1
    text = re.sub(r"<time.*?</time>|<a .*?</a>", "", found[0].split("</li>")[0], flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def dispute_of(item: Item) -> UUID:
    dispute = open_dispute(item.pk)
    assert dispute is not None
    return dispute.pk


def test_nothing_is_told_of_a_photo_that_waits_agreed_or_is_gold_and_the_three_look_alike() -> None:
    project = make_project()
    ann, bob = make_member(project), make_member(project)
    waits, agreed, gold, disputed = make_items(project, 4)
    services.add_gold(project=project, item=gold, class_key="defective", by=project.created_by)
    answer(project, waits, ann)
    for person in (ann, bob):
        answer(project, agreed, person)
    answer(project, gold, ann, draw="gold")  # wrongly
    answer(project, disputed, ann)
    answer(project, disputed, bob, "defective")

    html = page(project, ann)
    assert {row(html, item) for item in (waits, agreed, gold, disputed)} == {"Functional"}
    assert "None of your last 4 answers was overruled so far." in html

    # Not even when the photo is gold no more: it may become so again.
    services.retire_gold(gold=gold.gold, by=project.created_by)
    assert row(page(project, ann), gold) == "Functional"


def test_a_ruling_is_told_to_both_and_no_more_once_the_photo_is_before_reviewers_again() -> None:
    project = make_project(undo_seconds=0)
    ann, bob, rev = make_member(project), make_member(project), make_member(project, "reviewer")
    [item] = make_items(project, 1)
    answer(project, item, ann)
    answer(project, item, bob, "defective")
    services.rule(
        project=project, dispute_id=dispute_of(item), reviewer=rev, outcome="class", class_key="defective"
    )

    html = page(project, ann)
    assert row(html, item) == "Functional Overruled A reviewer ruled: Defective"
    assert "Of your last 1 answers, 1 was overruled." in html
    assert row(page(project, bob), item) == "Defective A reviewer ruled as you did."

    services.request_review(project=project, item=item, by=project.created_by)
    assert row(page(project, ann), item) == "Functional"
    services.rule(
        project=project, dispute_id=dispute_of(item), reviewer=rev, outcome="send_back", comment="?"
    )
    assert row(page(project, ann), item) == "Functional"


def test_who_differs_from_a_majority_hears_what_the_others_agreed_on() -> None:
    project = make_project(answers_per_image=3, rule="majority", agreement_k=2)
    people = [make_member(project) for _ in range(3)]
    [item] = make_items(project, 1)
    answer(project, item, people[0])
    answer(project, item, people[1], "defective")
    assert row(page(project, people[0]), item) == "Functional"
    answer(project, item, people[2], "defective")
    assert row(page(project, people[0]), item) == "Functional Overruled The others agreed on: Defective"
    assert row(page(project, people[1]), item) == "Defective"


def test_a_held_photo_hears_the_ruling_and_what_was_taken_back_or_swept_is_not_listed() -> None:
    project = make_project()
    ann, bob, rev = make_member(project), make_member(project), make_member(project, "reviewer")
    held, unusable, taken, swept = make_items(project, 4)
    answer(project, held, ann, kind="hold", reason="between")
    answer(project, unusable, ann)
    answer(project, unusable, bob, kind="unusable", reason="blurred")
    services.rule(project=project, dispute_id=dispute_of(held), reviewer=rev, outcome="hold")
    services.rule(
        project=project, dispute_id=dispute_of(unusable), reviewer=rev, outcome="unusable", reason="blurred"
    )
    services.retract_answer(project=project, labeler=ann, key=answer(project, taken, ann).key)
    answer(project, swept, ann, draw="sweep")

    project.undo_seconds = 0  # what was ruled is final
    project.save()
    html = page(project, ann)
    assert row(html, held) == "Hold : Between two classes A reviewer ruled as you did."
    assert row(html, unusable) == "Functional Overruled A reviewer ruled: Unusable"
    assert [each.annotation.item for each in own_answers(project, ann)] == [unusable, held]
    assert page(project, bob).count('<li class="own-answer">') == 1


def test_the_page_costs_the_same_for_fifty_answers_as_for_one() -> None:
    project = make_project()
    ann = make_member(project)
    items = make_items(project, 55)
    answer(project, items[0], ann)
    client = Client()
    client.force_login(ann)
    with CaptureQueriesContext(connection) as one:
        client.get(f"/p/{project.slug}/mine")
    for item in items[1:]:
        answer(project, item, ann)
    with CaptureQueriesContext(connection) as many:
        html = client.get(f"/p/{project.slug}/mine").content.decode()
    assert html.count('<li class="own-answer">') == 50
    assert len(many) <= len(one)


def test_who_has_answered_nothing_is_led_to_the_photos() -> None:
    project = make_project()
    html = page(project, make_member(project))
    assert "You have answered no photo here yet." in html and f'href="/p/{project.slug}/label"' in html
