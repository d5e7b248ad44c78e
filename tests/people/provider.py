"""A real provider of OpenID Connect, a process that is spoken with over HTTP, and a person at a browser in front of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from django.test import Client

from tests.stack import free_port


@contextmanager
def provider(identities: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Its issuer, while it runs. ``identities``: claims by subject."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(issuer, process)
        for subject, claims in identities.items():
            httpx.put(f"{issuer}/users/{quote(subject)}", json=claims).raise_for_status()
        yield issuer
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(issuer: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        assert process.poll() is None, "the provider ended at once"
        try:
            httpx.get(f"{issuer}/.well-known/openid-configuration").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the provider did not answer")


def use(settings: Any, issuer: str) -> None:
    """What the environment would say of this issuer."""
    settings.SSO_ISSUER, settings.SSO_NAME = issuer, "Works"
    app = {
        "provider_id": settings.SSO_ID,
        "client_id": "hilltop",
        "secret": "s",
        "name": "Works",
        "settings": {"server_url": issuer, "scope": ["openid", "profile", "email"]},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}


def sign_on(client: Client, subject: str, *, deny: bool = False, **query: str) -> Any:
    """To the provider, say who one is, and back; Hilltop's answer to that, redirects followed."""
    there = client.get("/sso", query)
    assert there.status_code == 302, there.content
    said = {"action": "deny"} if deny else {"sub": subject}
    back = httpx.post(there["Location"], data=said)
    assert back.status_code == 302, back.text
    address = urlsplit(back.headers["location"])
    return client.get(f"{address.path}?{address.query}", follow=True)
