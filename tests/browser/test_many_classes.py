"""Three hundred classes on the labeling screen: found by name on a phone, by code at a desk, and the photo stays large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue.screen import classes_shown
from tests.browser import axe
from tests.browser.test_labeling_screen import Screen, project_with_photos, wait_for_answers
from tests.factories import join, make_member

PageFor = Callable[..., Page]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
NAMES = ("hinge", "bolt", "gasket", "kerb", "panel", "wheel")


@pytest.fixture
def project() -> Project:
    classes = tuple(f"{NAMES[n % 6]}-{n:03}" for n in range(300))
    return project_with_photos(12, classes=classes, min_view_ms=0)


@pytest.fixture
def labeler(project: Project) -> User:
    user = make_member(project)
    User.objects.filter(pk=user.pk).update(toured_at=project.created_at)
    return user


def codes(project: Project) -> dict[str, str]:
    return {row["key"]: row["code"] for row in classes_shown(project.guidelines.get())}


def said(labeler: User, count: int) -> list[str]:
    return [row.label_class.key for row in wait_for_answers(labeler, count) if row.label_class]


def share_of_photo(page: Page, *, below: str) -> float:
    """How much of the window's height the photo has above what lies over its foot."""
    top = page.locator("#main").bounding_box()
    over = page.locator(below).bounding_box()
    size = page.viewport_size
    assert top and over and size
    return float((over["y"] - top["y"]) / size["height"])


def test_on_a_phone_a_class_is_found_by_its_name_and_the_photo_keeps_half_of_the_height(
    live_stack: object, project: Project, labeler: User, page_for: PageFor
) -> None:
    page = page_for(labeler, **PHONE)
    screen = Screen(page, project).open()
    assert share_of_photo(page, below="#bar") > 0.7
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    bar = page.locator("#answers")
    assert bar.evaluate("bar => bar.scrollHeight <= bar.clientHeight && bar.scrollWidth <= bar.clientWidth")

    before = screen.shown
    page.get_by_role("button", name="Find").tap()
    expect(page.get_by_role("option")).to_have_count(300)
    assert share_of_photo(page, below="#finder") >= 0.5
    assert axe.faults(page) == []
    page.get_by_role("combobox", name="Find a class").fill("gasket-2")
    expect(page.get_by_role("option")).to_have_count(17)
    page.get_by_role("option", name="Gasket-230").tap()
    screen.wait_for_photo(other_than=before)
    expect(page.locator("#finder")).to_be_hidden()
    assert said(labeler, 1) == ["gasket-230"]
    # It is at hand from now on, with no more than a tap, once the next photo can have been judged.
    before = screen.shown
    page.wait_for_function("shown => performance.now() > shown + 500", arg=page.evaluate("performance.now()"))
    page.locator("#recent").get_by_role("button", name="Gasket-230").tap()
    screen.wait_for_photo(other_than=before)
    assert said(labeler, 2) == ["gasket-230"] * 2


def test_at_a_desk_two_signs_answer_digits_repeat_and_a_slash_finds(
    live_stack: object, project: Project, labeler: User, page_for: PageFor
) -> None:
    page = page_for(labeler, viewport={"width": 1360, "height": 768})
    screen = Screen(page, project).open()
    assert share_of_photo(page, below="#bar") > 0.7
    code = codes(project)["wheel-299"]
    page.keyboard.press(code[0])
    expect(page.locator("#finder")).to_be_visible()
    screen.press(code[1])
    # What is typed on, as the rest of its name, means nothing: no command, and no code on the next photo.
    typed = page.evaluate("performance.now()")
    page.keyboard.press("s")
    expect(page.locator("#finder")).to_be_hidden()
    page.wait_for_function(
        "typed => performance.now() > typed + 1000", arg=typed
    )  # the next photo is looked at
    screen.press("1")  # the digit of the class that was not chosen for longest is its own now
    assert said(labeler, 2) == ["wheel-299"] * 2

    page.keyboard.press("/")
    page.keyboard.type("kerb-00")
    expect(page.get_by_role("option").first).to_contain_text("Kerb-003")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#criteria")).to_contain_text("What makes a photo kerb-009.")
    screen.press("Enter")
    assert said(labeler, 3)[-1] == "kerb-009"

    page.keyboard.press(code[0])
    page.keyboard.press("Escape")
    expect(page.locator("#finder")).to_be_hidden()
    screen.press("2")
    assert said(labeler, 4)[-1] == "kerb-009"  # and the first one has kept its digit
    screen.press("1")
    assert said(labeler, 5)[-1] == "wheel-299"


def test_commands_keep_their_letters_and_nine_classes_their_bar(
    live_stack: object, project: Project, labeler: User, page_for: PageFor
) -> None:
    page = page_for(labeler)
    screen = Screen(page, project).open()
    page.keyboard.press("h")
    expect(page.locator("[data-reasons=hold]")).to_be_visible()
    screen.press("1")
    assert [row.kind for row in wait_for_answers(labeler, 1)] == ["hold"]

    few = project_with_photos(3, classes=tuple(f"part-{n}" for n in range(9)))
    join(few, labeler)
    screen = Screen(page, few).open()
    expect(page.locator("#finder")).to_have_count(0)
    screen.press("9")
    assert said(labeler, 2)[-1:] == ["part-8"]
