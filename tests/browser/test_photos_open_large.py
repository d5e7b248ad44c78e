"""Wherever a page shows a photo, it opens large: down to its own pixels, in brightness that helps, over the page's keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from labeling.catalog.images import add_image
from labeling.catalog.models import Item, Project
from labeling.catalog.services import amend_guideline
from labeling.people.models import User
from labeling.truth.models import Annotation
from labeling.truth.services import add_gold
from tests.browser.test_own_pixels import (
    assert_as_it_is,
    assert_levelled,
    assert_the_scratch_is_seen,
    dark,
    dispute,
    items_of,
    labeler_of,
    open_label,
    plain,
    scratched,
)
from tests.factories import make_member, make_project
from tests.frontier.living import make_living
from tests.frontier.stream import WINDOW, make_stream
from tests.frontier.test_explanations import make_decided
from tests.learning.test_version_page import doubted_project

PageFor = Callable[..., Page]
THUMB = "a[data-photo]"


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.MODELS_DIR = tmp_path / "models"


def opened(page: Page, link: Locator) -> Locator:
    """The dialog in which the photo behind ``link`` is seen."""
    link.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-holder] img").first).to_be_visible()
    return dialog


def assert_opens_down_to_its_pixels(page: Page, photo: Item) -> None:
    """The page is loaded, and shows ``photo``, which is scratched."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    dialog = opened(page, page.locator(f"{THUMB}[href*='{photo.image.sha256}']").first)
    assert_the_scratch_is_seen(page, dialog.locator("[data-stage]"))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def scratched_instead(shown: Item) -> Item:
    """``shown`` becomes a photo with a scratch of one pixel."""
    shown.image = add_image(data=scratched())[0]
    Item.objects.filter(pk=shown.pk).update(image=shown.image)
    return shown


def first_shown(page: Page, project: Project, address: str) -> Item:
    page.goto(address)
    shown = page.locator(THUMB).first.get_attribute("href") or ""
    return next(
        item
        for item in Item.objects.filter(project=project).select_related("image")
        if item.image.sha256 in shown
    )


@pytest.mark.parametrize("name", ["photos", "near-duplicates", "guideline", "labelers", "review", "label"])
def test_a_photo_opens_down_to_its_own_pixels(live_stack: object, page_for: PageFor, name: str) -> None:
    project = make_project()
    photo, twin, other = items_of(project, scratched(), plain(1), plain(2))
    page = page_for(project.created_by)
    if name == "near-duplicates":
        Item.objects.filter(pk__in=[photo.pk, twin.pk]).update(twins_of=photo.pk)
    elif name == "labelers":
        add_gold(project=project, item=photo, class_key="functional", by=project.created_by)
    elif name in {"guideline", "label", "review"}:
        exemplars = {"functional": [photo.image.sha256]}
        amend_guideline(project=project, by=project.created_by, note="Shown", exemplars=exemplars)
    if name == "review":
        dispute(project, other)
    User.objects.update(toured_at=project.created_at)
    page.goto(f"/p/{project.slug}/{name}".rstrip("/"))
    assert_opens_down_to_its_pixels(page, photo)


def of_a_version() -> tuple[Project, str]:
    project, version, _odd = doubted_project()
    return project, f"models/{version.number}"


def of_a_cell() -> tuple[Project, str]:
    project, version, _odd = doubted_project()
    return project, f"models/{version.number}/cell/functional/functional"


def of_a_dashboard() -> tuple[Project, str]:
    living = make_living(days=80, photos=5, slug="cells")
    living.score_the_rest()
    return living.project, "dashboard"


def of_a_monitor() -> tuple[Project, str]:
    stream = make_stream(slug="cells")
    stream.come(range(2000, 2000 + WINDOW), light=0.6)
    stream.look()
    return stream.project, "monitors"


def of_a_decision() -> tuple[Project, str]:
    scene = make_decided()
    return scene.project, scene.address("frontier-decision").removeprefix(f"/p/{scene.project.slug}/")


@pytest.mark.parametrize("scene", [of_a_version, of_a_cell, of_a_dashboard, of_a_monitor, of_a_decision])
def test_so_does_a_photo_that_a_figure_or_a_decision_shows(
    live_stack: object, page_for: PageFor, scene: Callable[[], tuple[Project, str]]
) -> None:
    project, name = scene()
    page = page_for(project.created_by)
    photo = scratched_instead(first_shown(page, project, f"/p/{project.slug}/{name}"))
    page.reload()
    assert_opens_down_to_its_pixels(page, photo)


def test_a_photo_that_was_opened_is_levelled_and_the_next_as_the_person_likes(
    live_stack: object, page_for: PageFor
) -> None:
    project = make_project()
    items_of(project, dark(), dark(1, by=2))
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/photos")
    for n in range(2):
        dialog = opened(page, page.locator(THUMB).nth(n))
        photo = dialog.locator("[data-holder] img").first
        if n == 0:
            assert_as_it_is(page, photo)
            page.keyboard.press("l")
        assert_levelled(page, photo)  # the next too, by its own light
        expect(dialog.locator("[data-lens]")).to_have_text("Levelled")
        dialog.locator("summary").click()
        expect(dialog.locator("[data-level]")).to_have_attribute("aria-pressed", "true")
        if n == 1:
            with page.expect_response("**/me/brightness"):
                dialog.get_by_label("Show each new photo as it is").check()
            dialog.locator("[data-as-it-is]").click()
            assert_as_it_is(page, photo)
        dialog.get_by_role("button", name="Close").click()
        expect(page.locator(THUMB).nth(n)).to_be_focused()


def test_keys_are_the_opened_photos_and_the_one_below_is_not_seen_meanwhile(
    live_stack: object, page_for: PageFor
) -> None:
    project = make_project()
    shown, _asked = items_of(project, dark(), dark(1))
    exemplars = {"functional": [shown.image.sha256]}
    amend_guideline(project=project, by=project.created_by, note="Shown", exemplars=exemplars)
    ann = labeler_of(project)
    page = page_for(ann)
    page.clock.install()
    open_label(page, project)
    lease = page.evaluate("document.documentElement.dataset.shown")
    opened(page, page.locator(THUMB).first)
    page.clock.fast_forward("10:00")
    for key in ("1", "s", "z", "h"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.documentElement.dataset.shown") == lease
    with page.expect_response(lambda response: response.url.endswith("/annotations") and response.ok):
        page.keyboard.press("1")
    assert 0 < Annotation.objects.get(labeler=ann).view_ms < 300_000


def test_a_link_to_a_photo_is_the_browsers_with_a_modifier(live_stack: object, page_for: PageFor) -> None:
    project = make_project()
    (photo,) = items_of(project, plain(1))
    page = page_for(make_member(project, "reviewer"))
    page.goto(f"/p/{project.slug}/photos")
    with page.context.expect_page() as tab:
        page.locator(THUMB).click(modifiers=["ControlOrMeta"])
    expect(tab.value).to_have_url(re.compile(photo.image.sha256))
    expect(page.get_by_role("dialog")).to_have_count(0)
