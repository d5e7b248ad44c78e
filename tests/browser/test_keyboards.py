"""Keys as other keyboards send them: what is pressed and where, through the browser's own input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from labeling.catalog.models import Project
from labeling.people.models import User
from tests.browser.test_labeling_screen import Screen, project_with_photos, wait_for_answers
from tests.factories import make_member

SHIFT = 8
KEYPAD = 3  # the location of a key

PageFor = Callable[..., Page]


class Keyboard:
    """``press("é", "Digit2")``: what the key gives on this layout, and where it is."""

    def __init__(self, page: Page) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)

    def press(self, key: str, code: str, *, modifiers: int = 0, **more: Any) -> None:
        text = {"text": key} if len(key) == 1 else {}
        common = {"key": key, "code": code, "modifiers": modifiers, **more}
        down = {"type": "keyDown" if text else "rawKeyDown", **text}
        self._cdp.send("Input.dispatchKeyEvent", {**down, **common})
        self._cdp.send("Input.dispatchKeyEvent", {"type": "keyUp", **common})


@pytest.fixture
def project() -> Project:
    return project_with_photos(16, classes=("whole", "cracked", "dirty", "dark", "bent", "burnt"))


@pytest.fixture
def labeler(project: Project) -> User:
    user = make_member(project)
    User.objects.filter(pk=user.pk).update(toured_at=project.created_at)
    return user


@pytest.fixture
def screen(live_stack: object, project: Project, labeler: User, page_for: PageFor) -> Screen:
    return Screen(page_for(labeler), project).open()


@pytest.fixture
def keyboard(screen: Screen) -> Keyboard:
    return Keyboard(screen.page)


def _said(labeler: User, count: int) -> list[str]:
    return [row.label_class.key for row in wait_for_answers(labeler, count) if row.label_class]


#: layout -> what the upper row gives without Shift
UPPER_ROWS = {"french": "&é\"'(-", "czech": "+ěščřž", "korean": "123456", "arabic": "١٢٣٤٥٦"}


def test_the_upper_row_answers_by_place_and_zooms_nothing(
    screen: Screen, keyboard: Keyboard, labeler: User
) -> None:
    for row in UPPER_ROWS.values():
        for number in (1, 2, 6):
            before = screen.shown
            keyboard.press(row[number - 1], f"Digit{number}")
            screen.wait_for_photo(other_than=before)
            expect(screen.page.locator("[data-lens]")).to_be_hidden()
    assert _said(labeler, 12) == ["whole", "cracked", "burnt"] * len(UPPER_ROWS)


def test_shift_gives_a_digit_in_france_and_none_in_america(
    screen: Screen, keyboard: Keyboard, labeler: User
) -> None:
    keyboard.press("!", "Digit1", modifiers=SHIFT)
    before = screen.shown
    keyboard.press("2", "Digit2", modifiers=SHIFT)
    screen.wait_for_photo(other_than=before)
    assert _said(labeler, 1) == ["cracked"]


def test_the_number_pad_answers_only_while_it_gives_digits(
    screen: Screen, keyboard: Keyboard, labeler: User
) -> None:
    in_focus = screen.page.locator(".lb-class.focus")
    expect(in_focus).to_have_count(0)
    for key, code in (
        ("ArrowDown", "Numpad2"),
        ("End", "Numpad1"),
        ("Home", "Numpad7"),
        ("Clear", "Numpad5"),
    ):
        keyboard.press(key, code, location=KEYPAD, isKeypad=True)
    expect(in_focus).to_have_attribute("data-class", "whole")  # the arrow moved the criteria
    before = screen.shown
    keyboard.press("3", "Numpad3", location=KEYPAD, isKeypad=True)
    screen.wait_for_photo(other_than=before)
    assert _said(labeler, 1) == ["dirty"]
    keyboard.press("+", "NumpadAdd", location=KEYPAD, isKeypad=True)
    expect(screen.page.locator("[data-lens]")).to_contain_text("Zoom")


def test_light_help_and_letters_have_their_keys_on_every_layout(screen: Screen, keyboard: Keyboard) -> None:
    page = screen.page
    lens = page.locator("[data-lens]")
    for key in ("]", "ъ", "$"):  # Korean and American, Russian, French
        keyboard.press(key, "BracketRight")
        expect(lens).to_contain_text("Brightness 110 %")
        keyboard.press("х", "BracketLeft")
        expect(lens).to_be_hidden()
    # AltGr has no bit of its own in the browser's protocol: so the event is made as Windows makes it.
    page.evaluate(
        """() => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "]", code: "Digit9", bubbles: true,
            cancelable: true, altKey: true, ctrlKey: true, modifierAltGraph: true }))"""
    )
    expect(lens).to_contain_text("Brightness 110 %")

    # American and Korean, Russian by place, French, German, Russian by name
    for key, code in (
        ("?", "Slash"),
        (",", "Slash"),
        ("?", "KeyM"),
        ("?", "Minus"),
        ("?", "Digit7"),
    ):
        keyboard.press(key, code, modifiers=SHIFT)
        expect(page.locator("#help")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#help")).to_be_hidden()

    for key, code in (("р", "KeyH"), ("ㅗ", "KeyH"), ("η", "KeyH"), ("h", "KeyJ")):
        keyboard.press(key, code)
        expect(page.locator("[data-reasons=hold]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[data-reasons=hold]")).to_be_hidden()


def test_what_an_input_method_puts_together_is_no_key(
    screen: Screen, keyboard: Keyboard, labeler: User
) -> None:
    before = screen.shown
    keyboard.press("Process", "KeyH")
    keyboard.press("Process", "Digit1")
    screen.page.evaluate(
        """() => document.body.dispatchEvent(new KeyboardEvent("keydown", {
            key: "1", code: "Digit1", isComposing: true, bubbles: true, cancelable: true }))"""
    )
    expect(screen.page.locator("[data-reasons=hold]")).to_be_hidden()
    assert screen.shown == before

    # In a comment, Enter ends the syllable, not the comment.
    screen.page.keyboard.press("h")
    screen.page.keyboard.press("c")
    comment = screen.page.locator("[data-reasons=hold] [data-comment]")
    expect(comment).to_be_focused()
    comment.dispatch_event("keydown", {"key": "Enter", "code": "Enter", "isComposing": True})
    expect(comment).to_be_focused()
    comment.dispatch_event("keydown", {"key": "Enter", "code": "Enter"})
    expect(comment).not_to_be_focused()
