"""Behind proxies each person is counted by their own address, and nobody can make one up."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from labeling.people import throttle
from labeling.people.proxies import believe_trusted_proxies, neighbourhood
from tests.factories import make_user

PROXY = "10.0.0.2"
#: What arrives: who connects, X-Forwarded-For, and whom it comes from in truth, where 10.0.0.0/8 and ::1 are trusted.
ARRIVALS = [
    ("203.0.113.9", None, "203.0.113.9"),
    ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # a stranger speaks for itself only
    (PROXY, "198.51.100.1", "198.51.100.1"),
    (PROXY, "192.0.2.66, 198.51.100.1", "198.51.100.1"),  # the client made up the first
    (PROXY, "198.51.100.1, 10.0.0.3", "198.51.100.1"),  # two of ours, one behind the other
    (PROXY, "192.0.2.66, 198.51.100.1, 10.0.0.3", "198.51.100.1"),
    (PROXY, "10.9.9.9", "10.9.9.9"),  # somebody inside
    (PROXY, None, PROXY),
    (PROXY, "", PROXY),
    (PROXY, "unknown", PROXY),
    (PROXY, "198.51.100.1, <script>", PROXY),  # nothing before what cannot be read is believed
    (PROXY, "198.51.100.1:4711", "198.51.100.1"),
    (PROXY, "[2001:db8::7]:4711", "2001:db8::7"),
    (PROXY, "2001:db8::7", "2001:db8::7"),
    (PROXY, "::ffff:198.51.100.1", "198.51.100.1"),
    ("::ffff:10.0.0.2", "198.51.100.1", "198.51.100.1"),
    ("::1", "198.51.100.1", "198.51.100.1"),
    ("", "198.51.100.1", ""),  # a socket has no address
]  # fmt: skip


@pytest.fixture
def proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1/128")]


def seen(peer: str, **headers: str) -> HttpRequest:
    """The request as views get it."""
    asked: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        asked.append(request)
        return HttpResponse()

    believe_trusted_proxies(view)(RequestFactory().get("/", REMOTE_ADDR=peer, **headers))
    return asked[0]


@pytest.mark.parametrize(("peer", "said", "client"), ARRIVALS)
def test_a_client_is_the_first_that_no_trusted_proxy_vouches_for(
    proxies: None, peer: str, said: str | None, client: str
) -> None:
    headers = {} if said is None else {"HTTP_X_FORWARDED_FOR": said}
    request = seen(peer, **headers)
    assert request.META["REMOTE_ADDR"] == client
    assert "HTTP_X_FORWARDED_FOR" not in request.META


@pytest.mark.parametrize(
    ("peer", "addresses", "protocols", "secure"),
    [
        ("203.0.113.9", "198.51.100.1", "https", False),
        (PROXY, "198.51.100.1", "https", True),
        (PROXY, "198.51.100.1", "http", False),
        (PROXY, "198.51.100.1", "https, http", False),  # the client wrote the first, the proxy the second
        (PROXY, "198.51.100.1, 10.0.0.3", "https, http", True),  # the outer proxy got https, the inner one http from it
    ],
)  # fmt: skip
def test_a_protocol_is_believed_from_trusted_proxies_only(
    proxies: None, peer: str, addresses: str, protocols: str, secure: bool
) -> None:
    request = seen(peer, HTTP_X_FORWARDED_FOR=addresses, HTTP_X_FORWARDED_PROTO=protocols)
    assert request.is_secure() is secure


def test_without_the_setting_nobody_is_believed() -> None:
    request = seen("127.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.1", HTTP_X_FORWARDED_PROTO="https")
    assert (request.META["REMOTE_ADDR"], request.is_secure()) == ("127.0.0.1", False)


def test_https_without_a_trusted_proxy_is_warned_of(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    assert "people.W001" in [each.id for each in run_checks()]
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1/32")]
    assert "people.W001" not in [each.id for each in run_checks()]


def sign_in(name: str, password: str, client_address: str) -> int:
    sent = {"username": name, "password": password}
    headers = {"X-Forwarded-For": client_address}
    return Client(REMOTE_ADDR=PROXY).post(reverse("login"), sent, headers=headers).status_code


@pytest.mark.django_db
def test_behind_a_proxy_nobody_is_locked_out_by_another_place(proxies: None) -> None:
    make_user("mina")
    statuses = [sign_in("mina", f"guess{n}", "198.51.100.66") for n in range(throttle.TRIES)]
    assert statuses[-1] == 429
    assert sign_in("mina", "mina", "198.51.100.66") == 429
    assert sign_in("mina", "mina", "198.51.100.7") == 302


@pytest.mark.django_db
def test_one_place_may_not_try_any_number_of_names(proxies: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "TRIES_FROM_ONE_PLACE", 8)
    make_user("mina")
    make_user("eve")
    statuses = [sign_in(f"name{n}", "guess", "198.51.100.66") for n in range(8)]
    assert statuses == [422] * 8
    assert sign_in("mina", "mina", "198.51.100.66") == 429
    api = Client(REMOTE_ADDR=PROXY).post(
        "/api/v1/login",
        {"username": "mina", "password": "mina"},
        content_type="application/json",
        headers={"X-Forwarded-For": "198.51.100.66"},
    )
    assert api.status_code == 429
    assert "from your network" in api.json()["error"]["message"]
    assert sign_in("mina", "mina", "198.51.100.7") == 302


@pytest.mark.django_db
def test_an_account_of_ones_own_is_no_licence_to_guess(
    proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "TRIES_FROM_ONE_PLACE", 4)
    make_user("eve")
    for n in range(4):
        assert sign_in("eve", "eve", "198.51.100.66") == 302
        sign_in(f"name{n}", "guess", "198.51.100.66")
    assert sign_in("name9", "guess", "198.51.100.66") == 429


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),  # one customer has them all
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "unix:", False),
    ],
)
def test_addresses_of_one_customer_are_one_place(one: str, other: str, same: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) is same
