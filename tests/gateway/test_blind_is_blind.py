"""A labeler learns neither scores, nor others' answers, nor what is gold, from anything that the server sends them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.queue import services as queue
from labeling.truth.models import Draw
from labeling.truth.services import Answer
from tests.gateway.addresses import address_of
from tests.gateway.conftest import World, make_world
from tests.gateway.test_who_may_use_each_route import CASES, MAY, _is_page

FORBIDDEN = {
    "score", "scores", "confidence", "probability", "probabilities", "predicted", "draw", "gold", "is_gold", "band",
    "round", "context", "others", "answers", "dispute", "disputes", "ladder", "ladders", "position", "model",
    "agreement", "ground_truth", "audit", "number_of_answers",
}  # fmt: skip


ELSEWHERE = {"events", "metrics", "api-schema", "api-photo"}


def _keys(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}"
            yield from _keys(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner, path)


def _told(value: Any) -> set[str]:
    return {path for path in _keys(value) if path.rsplit(".", 1)[1].lower() in FORBIDDEN}


def test_nothing_that_the_api_tells_a_labeler_unblinds_them(world: World) -> None:
    client = world.client("labeler")
    seen = 0
    for name, method in CASES:
        # A feed is a permission by itself: an export, whose address only admins are told.
        if _is_page(name) or method != "GET" or name in {*ELSEWHERE, "api-feed"}:
            continue
        response = client.get(address_of(world, name))
        if response.status_code == 200:
            seen += 1
            assert _told(response.json()) == set(), name
    assert seen >= 5  # me, projects, project, guideline, guidelines, progress


@pytest.mark.django_db
@pytest.mark.parametrize("rates", [{"gold_rate": 1.0}, {"audit_rate": 1.0}, {}])
def test_a_claim_looks_the_same_whatever_the_photo_was_drawn_for(rates: dict[str, float]) -> None:
    world = make_world(**rates)
    client = world.client("second")
    claimed = client.post(world.api("/claims"), {"count": 4}, content_type="application/json").json()
    assert _told(claimed) == set()
    assert claimed["tasks"]
    for task in claimed["tasks"]:
        assert set(task) == {"lease", "photo", "expires_at", "note", "sent_back"}
        assert set(task["photo"]) == {"sha256", "screen", "thumb", "width", "height", "tiles"}
    assert set(claimed) == {"tasks", "state", "message", "progress", "guideline", "order"}
    assert set(claimed["progress"]) == {"answered_today", "settled_in_band", "needed_in_band", "as_of"}


@pytest.mark.django_db
def test_answering_and_undoing_a_gold_photo_look_like_any_other() -> None:
    world = make_world()
    shapes = []
    for rate in (0.0, 1.0):
        world.project.gold_rate = rate
        world.project.save()
        for slot in queue.claim(project=world.project, labeler=world.second, count=1):
            queue.skip(project=world.project, labeler=world.second, lease=slot.pk)
        (slot,) = queue.claim(project=world.project, labeler=world.labeler, count=1)
        key = str(uuid4())
        client = world.client("labeler")
        stored = client.post(
            world.api("/annotations"),
            {"key": key, "lease": str(slot.pk), "kind": "class", "class": "defective", "view_ms": 500},
            content_type="application/json",
        )
        assert stored.status_code == 201
        undone = client.post(world.api(f"/annotations/{key}/undo"))
        assert undone.status_code == 200
        shapes.append((slot.draw == Draw.GOLD, sorted(_keys(stored.json())), sorted(_keys(undone.json()))))
        queue.skip(project=world.project, labeler=world.labeler, lease=undone.json()["task"]["lease"])
    assert {gold for gold, *_rest in shapes} == {True, False}
    assert shapes[0][1:] == shapes[1][1:]


def test_the_pages_of_a_labeler_embed_nothing_that_unblinds_them(world: World) -> None:
    client = world.client("labeler")
    looked_at = []
    for name, methods in MAY.items():
        if not _is_page(name) or "GET" not in methods or name in {"photo", "photo-tile", "photo-of-old"}:
            continue
        response = client.get(address_of(world, name))
        if response.status_code != 200 or "html" not in response["Content-Type"]:
            continue
        looked_at.append(name)
        html = response.content.decode()
        for embedded in re.findall(r'<script[^>]+type="application/json"[^>]*>(.*?)</script>', html, re.S):
            assert _told(json.loads(embedded)) == set(), name
        attributes = {found.lower() for found in re.findall(r"\sdata-([\w-]+)=", html)}
        assert attributes & FORBIDDEN == set(), name
        assert world.gold.item.image.sha256 not in html, name
    assert {"label", "project", "home"} <= set(looked_at)


def test_a_labeler_cannot_reach_the_review_of_a_photo_they_answered(world: World) -> None:
    for name in ("review", "review-dispute", "api-disputes", "api-dispute"):
        kwargs = {"slug": world.project.slug}
        if name.endswith("dispute"):
            kwargs["dispute_id"] = str(world.dispute.pk)
        assert world.client("labeler").get(reverse(name, kwargs=kwargs)).status_code == 403


def test_a_reviewer_sees_names_only_after_the_ruling(world: World) -> None:
    client = world.client("reviewer")
    address = world.api(f"/disputes/{world.dispute.pk}")
    before = client.get(address).json()
    assert len(before["answers"]) == 2
    assert {each["labeler"] for each in before["answers"]} == {None}
    assert (
        client.post(
            f"{address}/ruling", {"outcome": "class", "class": "defective"}, content_type="application/json"
        ).status_code
        == 201
    )
    after = client.get(address).json()
    assert None not in {each["labeler"] for each in after["answers"]}
    assert after["ruling"]["class"] == "defective"


def test_the_reasons_of_a_dispute_are_keys_and_their_words_stand_beside(world: World) -> None:
    for labeler, reason in ((world.labeler, "between"), (world.second, "hidden")):
        queue.submit(
            project=world.project,
            labeler=labeler,
            lease=queue.claim(project=world.project, labeler=labeler, count=1)[0].pk,
            key=uuid4(),
            answer=Answer("hold", reason=reason),
            view_ms=900,
        )
    client = world.client("reviewer")
    for language, words in (("en", "Between two classes"), ("ko", "")):
        headers = {"Accept-Language": language}
        held = [
            answer
            for dispute in client.get(world.api("/disputes"), headers=headers).json()["results"]
            for answer in client.get(world.api(f"/disputes/{dispute['id']}"), headers=headers).json()[
                "answers"
            ]
            if answer["kind"] == "hold"
        ]
        assert held
        assert {answer["reason"] for answer in held} <= {"between", "hidden"}
        assert "between" in {answer["reason"] for answer in held}
        assert all(answer["reason_label"] not in {"", answer["reason"]} for answer in held)
        if words:
            assert words in {answer["reason_label"] for answer in held}
            assert {answer["label"] for answer in held} == {"Hold"}
