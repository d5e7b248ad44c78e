"""Real Chromium through Playwright, with people signed in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

# Playwright's synchronous API keeps an event loop in this thread, which makes Django refuse ORM calls.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from labeling.catalog import photos
from labeling.catalog.models import Project
from labeling.people.models import User
from tests.browser.cameras import PHONE, Phone, film
from tests.factories import make_member
from tests.stack import Stack

#: Each window's address bar is a page of its own, rendered in a process of its own, and one more process is kept for the
#: next page: with them a context costs .8 s of the processor, without .3 s. The last list that a browser is given counts,
#: so what Playwright switches off stands here too.
SWITCHED_OFF = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "PreloadTopChromeWebUI",
    "SpareRendererForSitePerProcess",
    "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter", "NetworkTimeServiceQuerying",
    "OptimizationHints", "PaintHolding", "PreconnectToSearch", "ThirdPartyStoragePartitioning",
)  # fmt: skip
CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def chromium_path() -> str | None:
    return os.environ.get("HILLTOP_CHROMIUM") or next(filter(None, map(shutil.which, CANDIDATES)), None)


#: ms for what comes in any case: on a busy machine a page takes seconds, and only a fault takes all of this.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)

_examined = cache(photos.examine)


@pytest.fixture(autouse=True)
def _photos_are_examined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of most tests the photos are the same, and decoding them and encoding their renditions took half of their time."""

    def examine(*given: Any) -> photos.Photo:
        known = _examined(*given)
        return replace(known, renditions=dict(known.renditions))

    monkeypatch.setattr(photos, "examine", examine)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser a session."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium here: install it (Debian: apt-get install chromium) or set HILLTOP_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                f"--disable-features={','.join(SWITCHED_OFF)}",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def context_for(chromium: Browser, live_stack: Stack) -> Iterator[Callable[..., BrowserContext]]:
    """``context_for(user, **options)``: a browser context in which ``user`` is signed in (``None``: nobody)."""
    opened: list[BrowserContext] = []

    def make(user: User | None, **options: Any) -> BrowserContext:
        options.setdefault("viewport", {"width": 1280, "height": 800})
        context = chromium.new_context(base_url=live_stack.url, **options)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        if user is not None:
            context.add_cookies([{"name": "sessionid", "value": _session_of(user), "url": live_stack.url}])
        return context

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def page_for(context_for: Callable[..., BrowserContext]) -> Iterator[Callable[..., Page]]:
    """``page_for(user)``: a page signed in as ``user``. Relative addresses are the live server's.

    A test whose page threw a script error fails at its end.
    """
    errors: list[str] = []

    def make(user: User | None, **options: Any) -> Page:
        page = context_for(user, **options).new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    assert not errors, "script errors on a page: " + "; ".join(errors)


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera shows; ``film`` puts something else there, which it shows when it is opened again."""
    return tmp_path_factory.mktemp("camera") / "film.mjpeg"


@pytest.fixture(scope="module")
def cameras(chromium: Browser, reel: Path) -> Iterator[Browser]:
    """The browser of the other tests has no camera: that is said when one is started."""
    film(reel, sharp=True)
    browser = chromium.browser_type.launch(
        executable_path=chromium_path(),
        args=[
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            f"--disable-features={','.join(SWITCHED_OFF)}",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={reel}",
        ],
    )
    yield browser
    browser.close()


@pytest.fixture
def phone(cameras: Browser, live_stack: Stack, reel: Path) -> Iterator[Callable[..., Phone]]:
    """``phone(camera=True, **options)``: whether the person allows the camera."""
    film(reel, sharp=True)
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def make_phone(*, camera: bool = True, **options: Any) -> Phone:
        context = cameras.new_context(base_url=live_stack.url, **PHONE, **options)
        context.set_default_timeout(PATIENCE)
        if camera:
            context.grant_permissions(["camera"])
        opened.append(context)
        return Phone(context, errors)

    yield make_phone
    for context in opened:
        context.close()
    assert not errors, "script errors on a page: " + "; ".join(errors)


@pytest.fixture
def reviewer(project: Project) -> User:
    """Of the test's own ``project``."""
    return make_member(project, "reviewer")


@pytest.fixture
def desk(project: Project, reviewer: User, page_for: Callable[..., Page]) -> Page:
    """The review desk of ``reviewer``, at the first dispute."""
    page = page_for(reviewer)
    page.goto(f"/p/{project.slug}/review")
    expect(page.locator(".desk-root[data-dispute]")).to_be_visible()
    return page


@pytest.fixture
def sign_in(live_stack: Stack) -> Callable[[BrowserContext, User], None]:
    """``sign_in(context, user)``: another person signs in in a browser that is open already."""

    def into(context: BrowserContext, user: User) -> None:
        context.add_cookies([{"name": "sessionid", "value": _session_of(user), "url": live_stack.url}])

    return into


def _session_of(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    assert session.session_key is not None
    return session.session_key
