"""An answer may bring the next photos, and then is what an answer and a claim are one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue import lending
from labeling.queue import services as queue
from labeling.truth.models import Annotation
from tests.factories import make_items, make_member, make_project


class Labeler:
    def __init__(self, project: Project, user: User) -> None:
        self.user, self._url = user, f"/api/v1/projects/{project.slug}"
        self._client = Client()
        self._client.force_login(user)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._client.post(f"{self._url}/{path}", body, content_type="application/json")

    def claim(self, count: int) -> list[str]:
        return leases(self.post("claims", {"count": count}).json())

    def answer(self, lease: str, **more: Any) -> Any:
        body = {"key": str(uuid4()), "lease": lease, "kind": "class", "class": "functional", "view_ms": 1500}
        return self.post("annotations", body | more)


def leases(claimed: dict[str, Any]) -> list[str]:
    return [task["lease"] for task in claimed["tasks"]]


@pytest.fixture
def lina(db: None) -> Iterator[Labeler]:
    project = make_project()
    queue.append_arrivals(project=project, item_ids=[item.pk for item in make_items(project, 12)])
    return Labeler(project, make_member(project))


def test_what_it_brings_is_what_a_claim_would_say(lina: Labeler) -> None:
    first, second = lina.claim(2)
    said = lina.answer(first, claim={"count": 3})
    assert said.status_code == 201
    brought = leases(said.json()["claimed"])
    assert len(brought) == 3 and brought[0] == second and first not in brought
    asked = lina.post("claims", {"count": 3}).json()
    assert asked.keys() == said.json()["claimed"].keys()
    told = ("tasks", "state", "message", "guideline", "order")
    assert {name: asked[name] for name in told} == {name: said.json()["claimed"][name] for name in told}
    assert said.json()["claimed"]["progress"]["answered_today"] == 1
    assert lina.answer(second).json()["claimed"] is None  # who does not ask gets none


def test_sent_again_after_a_lost_reply_it_lends_nothing_twice(lina: Labeler) -> None:
    (lease,) = lina.claim(1)
    key = str(uuid4())
    first = lina.answer(lease, key=key, claim={"count": 2})
    again = lina.answer(lease, key=key, claim={"count": 2})
    assert (first.status_code, again.status_code) == (201, 200)
    assert leases(again.json()["claimed"]) == leases(first.json()["claimed"])
    assert Annotation.objects.filter(labeler=lina.user).count() == 1


def test_an_answer_that_is_refused_lends_nothing(lina: Labeler) -> None:
    held = lina.claim(1)
    for body in ({"lease": str(uuid4())}, {"class": "no such class"}, {"claim": {"count": 0}}):
        refused = lina.answer(**{"lease": held[0], "claim": {"count": 5}} | body)
        assert 400 <= refused.status_code < 500 and "claimed" not in refused.json()
    assert lina.claim(1) == held and not Annotation.objects.filter(labeler=lina.user).exists()


def test_an_answer_stands_though_the_database_lends_nothing_after_it(
    lina: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    (lease,) = lina.claim(1)
    monkeypatch.setattr(lending, "renew", fails)
    said = lina.answer(lease, claim={"count": 2})
    assert said.status_code == 201 and said.json()["claimed"] is None
    monkeypatch.undo()
    assert lina.claim(1) != [lease], "nothing was lent, and nothing stuck"
    assert Annotation.objects.filter(labeler=lina.user).count() == 1
