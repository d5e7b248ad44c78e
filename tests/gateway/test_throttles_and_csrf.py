"""Dear requests are rationed, and a session is only believed together with its CSRF token."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.throttling import ScopedRateThrottle

from tests.gateway.conftest import World


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    few = {"login": "3/min", "export": "3/min", "intake": "3/min", "train": "3/min", "predict": "3/min"}
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", few)
    return few


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("anonymous", "post", "/api/v1/login"),
        ("admin", "get", "/api/v1/projects/cells/export/annotations.csv"),
        ("admin", "post", "/api/v1/projects/cells/intake"),
        ("admin", "post", "/api/v1/projects/cells/train"),
        ("admin", "post", "/api/v1/projects/cells/rank"),
        ("admin", "post", "/api/v1/projects/cells/predict"),
        ("admin", "post", "/api/v1/projects/cells/words"),
    ],
)
def test_the_fourth_dear_request_of_three_waits(
    world: World, rates: dict[str, str], role: str, method: str, path: str
) -> None:
    client = world.client(role)
    sent: dict[str, Any] = {"data": {}, "content_type": "application/json"} if method == "post" else {}
    statuses = [getattr(client, method)(path, **sent).status_code for _ in range(4)]
    assert statuses[3] == 429
    assert 429 not in statuses[:3]
    refused = getattr(client, method)(path, **sent)
    assert refused.json()["error"]["code"] == "throttled"
    assert 1 <= int(refused["Retry-After"]) <= 60


def test_a_made_up_proxy_header_does_not_reset_the_count(db: None, rates: dict[str, str]) -> None:
    statuses = [
        Client().post("/api/v1/login", {}, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code
        for n in range(4)
    ]
    assert statuses[3] == 429


def test_guessing_one_name_pauses_in_the_api_as_on_the_page(world: World) -> None:
    client = Client()
    body = {"username": "lina", "password": "guess"}
    statuses = [
        client.post("/api/v1/login", body, content_type="application/json").status_code for _ in range(7)
    ]
    assert statuses == [401] * 6 + [429]
    right = client.post(
        "/api/v1/login", {"username": "lina", "password": "lina"}, content_type="application/json"
    )
    assert (right.status_code, right["Retry-After"]) == (429, "300")


def test_labeling_is_not_rationed(world: World, rates: dict[str, str]) -> None:
    client = world.client("labeler")
    for _ in range(12):
        assert client.post(world.api("/claims"), {}, content_type="application/json").status_code == 200


def test_a_session_without_its_csrf_token_changes_nothing(world: World) -> None:
    client = world.client("labeler", enforce_csrf_checks=True)
    refused = client.post(world.api("/claims"), {}, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "csrf")
    client.get(f"/p/{world.project.slug}/label")  # the page sets the cookie
    token = client.cookies["csrftoken"].value
    accepted = client.post(
        world.api("/claims"), {}, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert accepted.status_code == 200


def test_a_token_needs_no_csrf_token(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    login = client.post(
        "/api/v1/login", {"username": "lina", "password": "lina"}, content_type="application/json"
    ).json()
    accepted = client.post(
        world.api("/claims"),
        {},
        content_type="application/json",
        headers={"Authorization": f"Token {login['token']}"},
    )
    assert accepted.status_code == 200


def test_what_is_only_looked_at_says_so_to_other_methods(world: World) -> None:
    """A form's token would not help: there is nothing to change."""
    client = world.client("superuser", enforce_csrf_checks=True)
    for path in ("/healthz", "/metrics", "/", "/p/cells/models", "/p/cells/events"):
        for method in ("PUT", "POST", "PATCH", "DELETE"):
            answer = client.generic(method, path)
            assert (answer.status_code, "GET" in answer["Allow"]) == (405, True), (method, path)
    assert client.head("/metrics").status_code == client.head("/p/cells/models").status_code == 200


def test_health_says_when_it_is_worth_to_ask_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("database unreachable", "disk full"):
        monkeypatch.setattr("labeling.gateway.vitals.wrong", lambda wrong=wrong: wrong)
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json(), answer["Retry-After"]) == (503, {"status": wrong}, "5")
