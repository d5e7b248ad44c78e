"""What a labeler looks and works with: a photo mirrored, turned and inverted, own keys, their pace, a break that is due."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.models import Project
from labeling.people.keys import choose_keys
from labeling.people.models import User
from tests.browser import axe
from tests.browser.test_labeling_screen import Screen, project_with_photos, wait_for_answers
from tests.browser.test_own_pixels import items_of, labeler_of, open_label, png, seen_in
from tests.factories import make_project

PageFor = Callable[..., Page]
RED, GREEN, BLUE, YELLOW = (200, 0, 0), (0, 160, 0), (0, 0, 200), (200, 200, 0)
AROUND = 30  # CSS pixels from the middle


def quarters(seed: int) -> bytes:
    """A photo of four colours, which meet in its middle, larger than its screen-sized picture."""
    pixels = np.zeros((1200, 2400, 3), dtype=np.uint8)
    for rows, columns, colour in (
        (slice(0, 600), slice(0, 1200), RED),
        (slice(0, 600), slice(1200, 2400), GREEN),
        (slice(600, 1200), slice(0, 1200), BLUE),
        (slice(600, 1200), slice(1200, 2400), YELLOW),
    ):
        pixels[rows, columns] = colour
    pixels[0, :2] = seed
    return png(pixels)


def expect_around_the_middle(page: Page, *colours: tuple[int, int, int]) -> None:
    """Clockwise from the upper left. Painted some frames after it was asked for."""
    box = page.locator("#main").bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    deadline = time.monotonic() + 60
    while True:
        shown = seen_in(page, *middle, around=AROUND)
        corners = [shown[0, 0], shown[0, -1], shown[-1, -1], shown[-1, 0]]
        if all(
            np.abs(seen.astype(int) - wanted).max() <= 12
            for seen, wanted in zip(corners, colours, strict=True)
        ):
            return
        assert time.monotonic() < deadline, corners


@pytest.fixture
def page(live_stack: object, page_for: PageFor) -> Page:
    project = make_project()
    items_of(project, *(quarters(n) for n in range(3)))
    page = page_for(labeler_of(project))
    open_label(page, project)
    return page


def test_a_photo_is_mirrored_turned_and_inverted_and_the_next_one_lies_as_it_is(page: Page) -> None:
    lens = page.locator("[data-lens]")
    expect_around_the_middle(page, RED, GREEN, YELLOW, BLUE)
    page.keyboard.press("f")
    expect_around_the_middle(page, GREEN, RED, BLUE, YELLOW)
    page.keyboard.press("r")  # as it is seen
    expect_around_the_middle(page, YELLOW, GREEN, RED, BLUE)
    expect(lens).to_have_text("Mirrored · Turned")
    # Turned, it is as large as the stage allows.
    photo, stage = page.locator(".lb-photo.on").bounding_box(), page.locator("#main").bounding_box()
    assert photo and stage and photo["height"] >= stage["height"] - 1
    page.keyboard.press("0")
    expect_around_the_middle(page, RED, GREEN, YELLOW, BLUE)
    expect(lens).to_be_hidden()

    page.locator("#light-toggle").click()
    for name in ("Turn", "Invert"):
        page.locator("#light").get_by_role("button", name=name).click()
    page.locator("#light [data-close]").click()
    inverted = [tuple(255 - value for value in colour) for colour in (BLUE, RED, GREEN, YELLOW)]
    expect_around_the_middle(page, *inverted)  # type: ignore[arg-type]
    shown = page.evaluate("document.documentElement.dataset.shown")
    page.keyboard.press("1")
    page.wait_for_selector(f'html[data-shown]:not([data-shown="{shown}"])', state="attached")
    expect(lens).to_have_text("Inverted")  # as brightness stays
    page.keyboard.press("v")
    expect_around_the_middle(page, RED, GREEN, YELLOW, BLUE)


def test_the_lens_and_the_photos_own_pixels_follow(page: Page) -> None:
    box = page.locator("#main").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.45)
    for _turn in range(4):
        page.mouse.wheel(0, -240)
    whole = page.locator(".lb-detail[data-state=whole]")
    expect(whole).to_be_attached()
    expect_around_the_middle(page, RED, RED, RED, RED)
    for key in ("f", "r", "r", "f", "r"):
        page.keyboard.press(key)
        expect(whole).to_be_attached()
        expect_around_the_middle(page, RED, RED, RED, RED)
    # Seen whole, each of its own pixels lies where the picture has it.
    page.keyboard.press("-")
    page.keyboard.press("f")
    page.keyboard.press("0")
    for key in ("r", "+", "+", "+"):
        page.keyboard.press(key)
    expect(whole).to_be_attached()
    expect_around_the_middle(page, BLUE, RED, GREEN, YELLOW)


@pytest.fixture
def photos(live_stack: object) -> Project:
    return project_with_photos(12)


def test_own_keys_answer_and_stand_on_the_page_and_the_usual_ones_are_silent(
    photos: Project, page_for: PageFor
) -> None:
    labeler = labeler_of(photos)
    choose_keys(user=labeler, keys={"answer1": "k", "hold": "j"})
    page = page_for(labeler)
    screen = Screen(page, photos).open()
    expect(page.locator("[data-answer=functional] kbd")).to_have_text("K")
    shown = screen.shown
    page.keyboard.press("1")
    page.keyboard.press("h")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("K")
    page.keyboard.press("?")
    assert screen.shown == shown
    expect(page.locator("[data-reasons=hold]")).to_be_hidden()
    screen.press("k")
    page.keyboard.press("j")
    screen.press("1")  # reasons keep the digits that are printed beside them
    said = wait_for_answers(labeler, 2)
    assert [row.kind for row in said] == ["class", "hold"]
    assert said[0].label_class and said[0].label_class.key == "functional"


def test_keys_are_chosen_by_pressing_them(photos: Project, page_for: PageFor) -> None:
    labeler = labeler_of(photos)
    page = page_for(labeler)
    page.goto(f"/me/keys?next=/p/{photos.slug}/label")
    assert axe.faults(page) == []
    page.get_by_label("Hold", exact=True).press("j")
    page.get_by_label("Skip", exact=True).press("j")
    page.get_by_role("button", name="Keep these keys").click()
    expect(page.get_by_role("alert")).to_contain_text("J would mean “Hold”, “Skip”.")
    page.get_by_label("Skip", exact=True).press("s")
    page.get_by_role("button", name="Keep these keys").click()
    expect(page.get_by_text("The keys are kept.")).to_be_visible()
    assert User.objects.get(pk=labeler.pk).own_keys == {"hold": "j"}
    page.get_by_role("link", name="Back to the photos").click()
    page.wait_for_url(f"**/p/{photos.slug}/label")


def test_the_page_of_last_answers_and_the_way_to_it(photos: Project, page_for: PageFor) -> None:
    labeler = labeler_of(photos)
    page = page_for(labeler, viewport={"width": 390, "height": 844})
    screen = Screen(page, photos).open()
    screen.press("1")
    wait_for_answers(labeler, 1)
    page.locator("#help-toggle").click()
    page.get_by_role("link", name="Your last answers").click()
    expect(page.get_by_role("heading", name="Your last answers", level=1)).to_be_visible()
    expect(page.locator(".own-answer")).to_have_text(re.compile("Functional"))
    assert axe.faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_pace_is_said_from_five_answers_on_and_survives_a_reload(
    photos: Project, page_for: PageFor
) -> None:
    labeler = labeler_of(photos)
    page = page_for(labeler, viewport={"width": 1360, "height": 768})
    screen = Screen(page, photos).open()
    today = page.locator("#today")
    for _answer in range(4):
        screen.press("1")
    expect(today).to_have_text("4 today")
    screen.press("1")
    expect(today).to_contain_text("5 today · ")
    expect(today).to_contain_text("a minute")
    wait_for_answers(labeler, 5)  # "All saved" may still be of those before
    screen.open()
    expect(today).to_contain_text("a minute")


def test_a_break_is_hinted_at_after_fifty_minutes_moves_nothing_and_goes_when_told(
    photos: Project, page_for: PageFor
) -> None:
    page = page_for(labeler_of(photos), viewport={"width": 1360, "height": 768})
    screen = Screen(page, photos).open()
    screen.press("1")
    hint = page.locator("#break")
    expect(hint).to_be_hidden()
    boxes = "(id) => JSON.stringify(document.getElementById(id).getBoundingClientRect())"
    places = f"['main', 'undo', 'criteria-toggle', 'bar'].map({boxes})"
    before = page.evaluate(places)
    work = "Object.keys(localStorage).find((name) => name.startsWith('hilltop-work'))"
    page.evaluate(
        f"localStorage.setItem({work}, JSON.stringify({{ since: Date.now() - 51 * 60000, last: Date.now() - 60000 }}))"
    )
    screen.press("2")
    expect(hint).to_contain_text("51 minutes without a break")
    assert page.evaluate(places) == before
    page.get_by_role("button", name="Dismiss").click()
    expect(hint).to_be_hidden()
    screen.press("1")
    expect(page.locator("#today")).to_contain_text("3 today")
    expect(hint).to_be_hidden()
    # After a break the time begins anew.
    page.evaluate(
        f"localStorage.setItem({work}, JSON.stringify({{ since: Date.now() - 90 * 60000, last: Date.now() - 6 * 60000 }}))"
    )
    screen.press("1")
    expect(page.locator("#today")).to_contain_text("4 today")
    expect(hint).to_be_hidden()
