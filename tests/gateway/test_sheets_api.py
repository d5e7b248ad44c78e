"""Question sheets over the API: what a labeler is told, to whom, and that answers are the projects' own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from labeling.catalog.models import Project
from labeling.queue.services import append_arrivals
from labeling.truth.models import Annotation
from labeling.truth.services import add_gold
from tests.factories import join, make_items, make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def projects() -> list[Project]:
    """Two questions about the same six photos."""
    first = make_project(slug="clean", audit_rate=0.3)
    second = make_project(slug="dent", admin=first.created_by, gold_rate=0.3)
    items = make_items(first, 6)
    again = [
        second.items.create(image=each.image, name=each.name, random_key=each.random_key) for each in items
    ]
    append_arrivals(project=first, item_ids=[each.pk for each in items])
    append_arrivals(project=second, item_ids=[each.pk for each in again[:-1]])
    add_gold(project=second, item=again[-1], class_key="functional", by=second.created_by)
    return [first, second]


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def send(client: Client, address: str, body: dict[str, Any], method: str = "post") -> Any:
    return getattr(client, method)(f"/api/v1/{address}", body, content_type="application/json")


def test_a_sheet_is_made_claimed_answered_and_put_away(projects: list[Project]) -> None:
    admin = client_of(projects[0].created_by)
    made = send(admin, "sheets", {"slug": "wash", "name": "Wash", "projects": ["clean", "dent"]})
    assert made.status_code == 201, made.content
    assert [each["project"] for each in made.json()["projects"]] == ["clean", "dent"]
    taken = send(admin, "sheets", {"slug": "wash", "name": "Wash", "projects": ["clean", "dent"]})
    assert (taken.status_code, list(taken.json()["error"]["fields"])) == (422, ["slug"])

    person = make_user()
    join(projects[0], person)
    labeler = client_of(person)
    assert send(labeler, "sheets/wash/claims", {}).status_code == 404  # a member of one of them only
    assert labeler.get("/api/v1/sheets").json() == {"results": []}
    join(projects[1], person)
    assert [each["may_change"] for each in labeler.get("/api/v1/sheets").json()["results"]] == [False]
    told = send(labeler, "sheets/wash/claims", {"count": 3}).json()
    assert (told["state"], told["guidelines"], told["paused"]) == ("open", {"clean": 1, "dent": 1}, [])
    assert len(told["photos"]) == 3
    for photo in told["photos"]:
        # Whatever it was drawn for, it looks the same.
        assert set(photo) == {"photo", "questions"}
        assert {frozenset(each) for each in photo["questions"]} == {
            frozenset({"project", "lease", "expires_at", "note", "sent_back"})
        }
    question = told["photos"][0]["questions"][0]
    body = {
        "key": str(uuid4()),
        "lease": question["lease"],
        "kind": "class",
        "class": "functional",
        "view_ms": 700,
    }
    assert send(labeler, f"projects/{question['project']}/annotations", body).status_code == 201
    assert Annotation.objects.get().project.slug == question["project"]

    changed = send(admin, "sheets/wash", {"projects": ["dent", "clean"]}, "patch")
    assert [each["project"] for each in changed.json()["projects"]] == ["dent", "clean"]
    assert send(labeler, "sheets/wash", {"name": "Mine"}, "patch").status_code == 403
    assert send(admin, "sheets/wash", {}, "delete").status_code == 204
    assert send(labeler, "sheets/wash/claims", {}).status_code == 404
    assert Annotation.objects.count() == 1
