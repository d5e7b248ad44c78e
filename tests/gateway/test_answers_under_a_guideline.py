"""A claim says which guideline is in force, and an answer under which one it was given."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.test import Client

from labeling.catalog.services import amend_guideline
from labeling.truth.models import Annotation, Pause
from tests.gateway.conftest import World


def _post(client: Client, address: str, body: dict[str, Any]) -> Any:
    return client.post(address, body, content_type="application/json")


def _amend(world: World, **changes: Any) -> None:
    changes = changes or {"criteria": {"functional": "Nothing is broken, and nothing is dirty."}}
    amend_guideline(project=world.project, by=world.admin, note="Dirt counts", **changes)


def _answer(world: World, client: Client, lease: str, **more: Any) -> Any:
    body = {"key": str(uuid4()), "lease": lease, "kind": "class", "class": "functional", "view_ms": 900}
    return _post(client, world.api("/annotations"), body | more)


def test_a_claim_says_which_guideline_is_in_force_also_to_who_is_paused(world: World) -> None:
    client = world.client("labeler")
    assert _post(client, world.api("/claims"), {}).json()["guideline"] == 1
    _amend(world)
    assert _post(client, world.api("/claims"), {}).json()["guideline"] == 2
    Pause.objects.create(project=world.project, labeler=world.labeler, correct=1, asked=9, bar=0.8)
    paused = _post(client, world.api("/claims"), {}).json()
    assert (paused["state"], paused["guideline"]) == ("paused", 2)


def test_an_answer_that_was_given_under_an_older_guideline_is_kept_as_that(world: World) -> None:
    client = world.client("labeler")
    first, second, third = (
        each["lease"] for each in _post(client, world.api("/claims"), {"count": 3}).json()["tasks"]
    )
    _amend(world)
    key = str(uuid4())
    for status in (201, 200):  # the second time it was delivered before
        told = _answer(world, client, first, key=key, guideline=1)
        assert (told.status_code, told.json()["guideline"]) == (status, 1)
    assert _answer(world, client, second, guideline=2).json()["guideline"] == 2
    # Who says nothing had the photo before the new version was written, and may not have read that.
    assert _answer(world, client, third).json()["guideline"] == 1
    (fresh,) = _post(client, world.api("/claims"), {"count": 1}).json()["tasks"]
    assert _answer(world, client, fresh["lease"]).json()["guideline"] == 2
    newest = Annotation.objects.filter(labeler=world.labeler).order_by("-id")[:4]
    assert [each.guideline.number for each in newest] == [2, 1, 2, 1]


def test_a_guideline_that_the_project_does_not_have_is_refused(world: World) -> None:
    client = world.client("labeler")
    before = Annotation.objects.count()
    refused = _answer(world, client, str(world.lease), guideline=7)
    assert refused.status_code == 422
    error = refused.json()["error"]
    assert (error["code"], list(error["fields"])) == ("invalid", ["guideline"]) and "7" in error["message"]
    assert Annotation.objects.count() == before
    assert _answer(world, client, str(world.lease), guideline=1).status_code == 201
