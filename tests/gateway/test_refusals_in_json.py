"""Whoever asks below ``/api/`` is a program: whatever it is refused, it is told in JSON. And slashes lead on."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from labeling.catalog.urls import urlpatterns
from labeling.gateway.middleware import PHOTOS
from tests.gateway.conftest import World


def _refusal(response: Any) -> str:
    assert response["Content-Type"].startswith("application/json"), response.content[:200]
    error = response.json()["error"]
    assert error["message"]
    return str(error["code"])


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
@pytest.mark.parametrize("address", ["/api", "/api/", "/api/v1", "/api/v2/me", "/api/v1/nothing"])
def test_an_unknown_address_says_so_to_a_session_without_its_token_too(
    world: World, method: str, address: str
) -> None:
    response = getattr(world.client("labeler", enforce_csrf_checks=True), method)(address)
    assert (response.status_code, _refusal(response)) == (404, "not_found")


@pytest.mark.parametrize(
    ("role", "method", "address", "sent", "status", "code"),
    [
        ("labeler", "post", "/claims", {"data": {}, "content_type": "application/json"}, 403, "csrf"),
        ("anonymous", "post", "/claims", {"data": {}, "content_type": "application/json"}, 401, "not_signed_in"),
        ("labeler", "get", "/claims", {}, 405, "method_not_allowed"),
        ("outsider", "get", "", {}, 404, "not_found"),
        ("labeler", "get", "/jobs", {}, 403, "forbidden"),
        ("labeler", "get", "?nonsense=1", {}, 400, "unknown_parameter"),
        ("labeler", "get", "", {"headers": {"Host": "evil.example"}}, 400, "malformed"),
        ("labeler", "get", "", {"headers": {"Authorization": "Token nonsense"}}, 401, "bad_token"),
    ],
)  # fmt: skip
def test_every_refusal_is_json(
    world: World, role: str, method: str, address: str, sent: dict[str, Any], status: int, code: str
) -> None:
    client = world.client(role, enforce_csrf_checks=True)
    response = getattr(client, method)(world.api(address), **sent)
    assert (response.status_code, _refusal(response)) == (status, code)


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("application/json", "{", 400, "malformed"),
        ("text/xml", "<a/>", 415, "unsupported_media_type"),
        ("multipart/form-data; boundary=x", "--x", 415, "unsupported_media_type"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_json(
    world: World, content_type: str, body: str, status: int, code: str
) -> None:
    response = world.client("labeler").post(world.api("/claims"), body, content_type=content_type)
    assert (response.status_code, _refusal(response)) == (status, code)


def test_a_page_that_lost_its_token_says_so_as_a_page(world: World) -> None:
    response = world.client("labeler", enforce_csrf_checks=True).post("/logout")
    assert response.status_code == 403
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("/login/", "/login"),
        ("/login/?next=/p/x", "/login?next=/p/x"),
        ("/p/cells/label/", "/p/cells/label"),
        ("/api/v1/me/", "/api/v1/me"),
        ("/api/v1/projects/cells/claims/", "/api/v1/projects/cells/claims"),
        ("/api/schema", "/api/schema/"),
        ("/i18n/setlang", "/i18n/setlang/"),
        ("/healthz/", "/healthz"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_slash_too_many_or_too_few_leads_to_what_was_meant(
    db: None, method: str, address: str, meant: str
) -> None:
    response = getattr(Client(), method)(address)
    assert (response.status_code, response["Location"]) == (308, meant)


def test_a_post_keeps_its_method_and_its_body_over_a_slash(world: World) -> None:
    response = world.client("labeler").post(
        world.api("/claims/"), {"count": 2}, content_type="application/json", follow=True
    )
    assert response.status_code == 200
    assert len(response.json()["tasks"]) == 2


@pytest.mark.parametrize("address", ["/nowhere/", "/api/", "/p/cells/nothing/", "/photos/x/"])
def test_what_leads_nowhere_with_one_slash_less_is_not_found(db: None, address: str) -> None:
    assert Client().get(address).status_code == 404


def test_a_claimed_photo_opens_with_the_token_that_claimed_it(world: World) -> None:
    def signed_in(name: str) -> dict[str, str]:
        answer = Client().post(
            "/api/v1/login", {"username": name, "password": name}, content_type="application/json"
        )
        return {"Authorization": f"Token {answer.json()['token']}"}

    # The lease names another photo than the one whose pixels are there: only that one's address is asked for.
    claimed = Client().post(
        world.api("/claims"), {}, content_type="application/json", headers=signed_in("lina")
    )
    photo = claimed.json()["tasks"][0]["photo"]
    ours = photo["screen"].replace(photo["sha256"], world.photo.image.sha256)
    opened = Client().get(ours, headers=signed_in("lina"))
    assert (opened.status_code, opened["Content-Type"]) == (200, "image/webp")
    assert Client().get(ours).status_code == 404
    assert Client().get(ours, headers=signed_in("olga")).status_code == 404
    assert Client().get(ours, headers={"Authorization": "Token nonsense"}).status_code == 404
    page = Client().get("/p/cells/label", headers=signed_in("lina"))
    assert page.status_code == 302, "a token opens photos, not pages"


def test_a_token_opens_every_address_of_a_photos_pixels() -> None:
    shown = {each.name for each in urlpatterns if "sha256" in str(each.pattern)}
    assert shown and shown == PHOTOS


def test_looking_at_runs_of_the_lab_is_not_rationed_and_starting_them_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rest_framework.throttling import ScopedRateThrottle

    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"train": "3/min"})
    client = world.client("admin")
    assert [client.get(world.api("/lab")).status_code for _ in range(8)] == [200] * 8
    asked = [
        client.post(world.api("/lab"), {}, content_type="application/json").status_code for _ in range(4)
    ]
    assert asked == [422, 422, 422, 429]
