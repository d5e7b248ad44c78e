"""What every answer says to the browser, and what is not answered at all."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.people.models import User
from tests.factories import make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def mina() -> User:
    return make_user("mina")


@pytest.fixture
def client(mina: User) -> Client:
    client = Client()
    client.force_login(mina)
    return client


def test_every_kind_of_answer_carries_the_headers(client: Client) -> None:
    kinds = {
        reverse("home"): "text/html",
        reverse("login"): "text/html",
        reverse("api-me"): "application/json",
        "/api/v1/nothing": "application/json",
        reverse("healthz"): "application/json",
        reverse("photo", args=["0" * 64, 2, "thumb"]): "text/html",
    }
    for address, kind in kinds.items():
        answer = client.get(address, headers={"Origin": "https://evil.example"})
        assert answer.headers.get("Content-Type", kind).startswith(kind), address
        assert answer["X-Content-Type-Options"] == "nosniff", address
        assert answer["Referrer-Policy"] == "same-origin", address
        policy = answer["Content-Security-Policy"]
        for directive in (
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "script-src 'self'",
        ):
            assert directive in policy, address
        assert "unsafe" not in policy and "Access-Control-Allow-Origin" not in answer, address


def test_no_page_runs_a_script_of_its_own(client: Client) -> None:
    for name in ("home", "account", "own-keys"):
        page = client.get(reverse(name)).content.decode()
        scripts = re.findall(r"<script\b[^>]*>", page)
        assert scripts and all("src=" in tag or "application/json" in tag for tag in scripts), name
        assert not re.search(r"\son[a-z]+=", page) and "javascript:" not in page, name


def test_cookies_of_sessions_are_kept_from_scripts_and_other_sites(mina: User) -> None:
    client = Client()
    client.post(reverse("login"), {"username": "mina", "password": "mina"})
    session = client.cookies["sessionid"]
    assert session["httponly"] and session["samesite"] == "Lax" and not session["domain"]
    assert client.get(reverse("home")).status_code == 200
    assert client.cookies["csrftoken"]["samesite"] == "Lax"


def test_a_session_lasts_two_weeks_at_most(client: Client) -> None:
    began = client.session.get_expiry_date()
    for _ in range(2):
        client.get(reverse("home"))
    assert client.session.get_expiry_age() <= 14 * 86_400
    # Looking at pages does not put its end off: the row in the database is the one of the sign-in.
    assert abs((client.session.get_expiry_date() - began).total_seconds()) < 60
    assert not client.session.modified


def test_the_password_field_is_masked_and_helps_password_managers() -> None:
    page = Client().get(reverse("login")).content.decode()
    (field,) = re.findall(r"<input[^>]*name=\"password\"[^>]*>", page)
    assert 'type="password"' in field and 'autocomplete="current-password"' in field


def test_every_page_offers_to_sign_out(client: Client) -> None:
    for name in ("home", "account"):
        assert f'action="{reverse("logout")}"' in client.get(reverse(name)).content.decode()


@pytest.mark.parametrize(
    "address", ["/.git/config", "/.env", "/static/", "/static/../config/settings.py", "/var/secret-key"]
)
def test_nothing_beside_the_application_is_served(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_trace_is_not_answered(client: Client) -> None:
    for name in ("home", "healthz", "api-me"):
        answer = client.trace(reverse(name), headers={"X-Password": "secret"})
        assert answer.status_code == 405 and b"secret" not in answer.content


def test_what_is_refused_to_somebody_is_logged_on_one_line(
    client: Client, mina: User, caplog: pytest.LogCaptureFixture
) -> None:
    make_project(slug="cells").memberships.create(user=mina, role="viewer")
    with caplog.at_level(logging.WARNING, logger="labeling.gateway.middleware"):
        assert client.get(reverse("members", args=["cells"])).status_code == 403
        assert client.get(reverse("people")).status_code == 403
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"refused to account {mina.pk}: GET {reverse(name, args=args)}" for name, args in _ASKED]
    assert all("\n" not in line for line in said)


_ASKED: list[tuple[str, Any]] = [("members", ["cells"]), ("people", [])]
