"""A person's way in, as they walk it: invited, a first password, forgotten, a second step, and signing on elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect

from labeling.people.models import User
from tests.browser import axe
from tests.factories import make_member, make_project, make_user
from tests.people.provider import provider
from tests.stack import Stack

PageFor = Callable[..., Page]


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def choose(page: Page, link: str, password: str) -> None:
    page.goto(link)
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password confirmation").fill(password)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your password is set")).to_be_visible()


def test_invited_first_password_reset_and_the_old_token_is_refused(
    page_for: PageFor, live_stack: Stack
) -> None:
    chief = page_for(make_user("chief", is_superuser=True))
    chief.goto("/")
    chief.get_by_role("link", name="People").click()
    chief.get_by_role("link", name="Invite somebody").click()
    chief.get_by_label("User name").fill("joon")
    chief.get_by_label("Full name").fill("Joon Park")
    chief.get_by_role("button", name="Invite").click()
    field = chief.get_by_label("One-time link", exact=True)
    expect(field).to_be_focused()
    first = field.input_value()
    assert chief.evaluate("getSelection().toString()") == first  # one key copies it

    joon = page_for(None)
    choose(joon, first, "four green lamps")
    sign_in(joon, "joon", "four green lamps")
    joon.get_by_role("link", name="Joon Park").click()
    joon.get_by_label("Name").fill("night export")
    joon.get_by_role("button", name="Make a token").click()
    token = joon.get_by_label("Token", exact=True).input_value()
    headers = {"Authorization": f"Token {token}"}
    assert httpx.get(f"{live_stack.url}/api/v1/me", headers=headers).status_code == 200
    joon.reload()  # the browser may send the form again; the token itself is nowhere
    joon.goto("/account")
    expect(joon.get_by_role("row", name="night export").first).to_be_visible()
    assert token not in joon.content()

    chief.goto("/people?q=joon")
    chief.get_by_role("link", name="Joon Park").click()
    chief.get_by_role("button", name="Make a one-time link").click()
    second = chief.get_by_label("One-time link", exact=True).input_value()
    elsewhere = page_for(None)
    choose(elsewhere, second, "five blue doors")
    assert httpx.get(f"{live_stack.url}/api/v1/me", headers=headers).status_code == 401
    joon.goto("/account")
    expect(joon).to_have_url(f"{live_stack.url}/login?next=/account")
    sign_in(joon, "joon", "four green lamps")
    expect(joon.get_by_text("do not match")).to_be_visible()
    sign_in(joon, "joon", "five blue doors")
    expect(joon.get_by_role("heading", name="You are not in a project yet")).to_be_visible()
    joon.goto(first)
    expect(joon.get_by_role("heading", name="This link does not work any more")).to_be_visible()

    chief.goto("/people?q=joon")
    chief.get_by_role("link", name="Joon Park").click()
    chief.get_by_role("button", name="Switch off").click()
    joon.goto("/account")
    expect(joon.get_by_role("heading", name="Sign in")).to_be_visible()


def test_two_steps(page_for: PageFor, live_stack: Stack) -> None:
    make_user("mina")
    page = page_for(None)
    sign_in(page, "mina", "mina")
    page.goto("/account")
    page.get_by_role("link", name="Sign in in two steps").click()
    page.get_by_label("Password").fill("mina")
    page.get_by_role("button", name="Go on").click()
    image = page.get_by_alt_text("Code to scan")
    expect(image).not_to_have_js_property("naturalWidth", 0)  # the policy lets it be seen
    secret = page.get_by_label("Or type this into the app").input_value()

    def code(steps: int) -> str:
        return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))

    page.get_by_label("Code").fill(code(0))
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(page.get_by_role("list", name="Recovery codes").get_by_role("listitem")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out everywhere").click()
    sign_in(page, "mina", "mina")
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, "mina", "mina")
    page.get_by_label("Code").fill(
        code(1)
    )  # one that was used already is refused, one of half a minute ago is not
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="You are not in a project yet")).to_be_visible()


@pytest.fixture
def with_provider(live_stack: Stack) -> Iterator[Stack]:
    claims = {"email": "mina@example.com", "email_verified": True, "groups": ["managers"]}
    with provider({"works-17": claims}) as issuer:
        stack = Stack(
            HILLTOP_SSO_ISSUER=issuer,
            HILLTOP_SSO_NAME="Works",
            HILLTOP_SSO_CLIENT_ID="hilltop",
            HILLTOP_SSO_CLIENT_SECRET="s",
            HILLTOP_SSO_ROLES='{"managers": {"cells": "viewer"}}',
        )
        stack.ensure_web()
        yield stack
        stack.stop()


def test_signing_on_with_a_provider(with_provider: Stack, chromium: Browser) -> None:
    project = make_project(slug="cells")
    make_user("mina", email="mina@example.com")
    context = chromium.new_context(base_url=with_provider.url)
    page = context.new_page()
    refused: list[str] = []
    page.on(
        "console", lambda told: refused.append(told.text) if "Content Security Policy" in told.text else None
    )
    page.goto(f"/p/{project.slug}/dashboard")
    page.get_by_role("link", name="Sign in with Works").click()
    page.locator("[name=sub]").first.fill("works-17")
    page.locator("button[type=submit]:not([name=action]), button:not([type])").first.click()
    expect(page).to_have_url(f"{with_provider.url}/p/cells/dashboard")
    expect(page.get_by_role("link", name="mina")).to_be_visible()
    assert User.objects.get(username="mina").memberships.get().role == "viewer"
    assert refused == []
    context.close()


@pytest.mark.parametrize("language", ["en", "ko"])
def test_pages_of_people_have_no_faults(page_for: PageFor, live_stack: Stack, language: str) -> None:
    chief = make_user("chief", is_superuser=True)
    mina = make_member(make_project(), "viewer", "mina")
    page, stranger = page_for(chief, locale=language), page_for(None, locale=language)
    faults = {}
    places = [
        "/account",
        "/account/password",
        "/people",
        "/people/invite",
        f"/people/{mina.pk}",
        "/account/again",
    ]
    for address, each in [
        *((place, page) for place in places),
        ("/login", stranger),
        ("/link/MQ/none", stranger),
    ]:
        each.goto(address)
        if found := axe.faults(each):
            faults[address] = found
        each.set_viewport_size({"width": 390, "height": 800})
        assert each.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        each.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"/people/{mina.pk}")
    page.locator("form[action$='/link'] button").click()
    faults |= {"link": found} if (found := axe.faults(page)) else {}
    page.goto("/account")
    page.locator("#id_name").fill("x")
    page.locator("form[action$='/tokens'] button").click()
    faults |= {"token": found} if (found := axe.faults(page)) else {}
    assert faults == {}
