"""Review without a mouse: one key a ruling, the next dispute at once, and typing never rules."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.models import Guideline, Project
from labeling.people.models import User
from labeling.truth.models import Dispute, Ruling
from labeling.truth.services import Answer
from tests.browser.reviewing import answered, shown
from tests.browser.test_keyboards import KEYPAD, Keyboard
from tests.factories import make_project

DISPUTES = 5


@pytest.fixture
def project(live_stack: object) -> Project:
    project = make_project(answers_per_image=2)
    answered(project, *[(Answer("class", "functional"), Answer("class", "defective"))] * DISPUTES)
    assert Dispute.objects.open().count() == DISPUTES
    return project


def press(page: Page, key: str) -> str:
    """Press a key that ends a dispute or leaves it; wait for another one; return which one it was."""
    before = shown(page)
    page.keyboard.press(key)
    expect(page.locator(f'.desk-root:not([data-dispute="{before}"])')).to_be_visible()
    return before


def test_five_disputes_are_ruled_by_keys_alone(desk: Page, reviewer: User) -> None:
    desk.evaluate("window.notReloaded = true")
    first, second, third = press(desk, "1"), press(desk, "2"), press(desk, "h")
    expect(desk.locator("#desk-said")).to_contain_text("Ruled:")
    assert desk.evaluate("window.notReloaded") is True
    fourth = press(desk, "u")
    fifth = shown(desk)
    desk.keyboard.press("b")  # opens the comment and goes there
    desk.keyboard.type("Look at the left edge 1 2 h u n")  # keys in a field are letters
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_role("heading", name="Nothing is in dispute")).to_be_visible()

    rulings = {str(each.dispute_id): each for each in Ruling.objects.select_related("label_class")}
    assert {key: each.outcome for key, each in rulings.items()} == {
        first: "class",
        second: "class",
        third: "hold",
        fourth: "unusable",
        fifth: "send_back",
    }
    assert [str(rulings[key].label_class.key) for key in (first, second)] == ["functional", "defective"]  # type: ignore[union-attr]
    assert rulings[fifth].comment == "Look at the left edge 1 2 h u n"
    assert {each.reviewer for each in rulings.values()} == {reviewer}


def test_a_french_and_a_korean_keyboard_rule_and_an_arrow_of_the_number_pad_does_not(desk: Page) -> None:
    keyboard = Keyboard(desk)
    first = shown(desk)
    keyboard.press("ArrowDown", "Numpad2", location=KEYPAD, isKeypad=True)
    for key, code in (("é", "Digit2"), ("ㅗ", "KeyH")):
        before = shown(desk)
        keyboard.press(key, code)
        expect(desk.locator(f'.desk-root:not([data-dispute="{before}"])')).to_be_visible()
    ruled = list(Ruling.objects.order_by("id").values_list("dispute_id", "label_class__key", "outcome"))
    assert [(key, outcome) for _dispute, key, outcome in ruled] == [("defective", "class"), (None, "hold")]
    assert str(ruled[0][0]) == first


def test_later_leaves_the_dispute_open_and_back_returns_to_it(desk: Page) -> None:
    first = press(desk, "n")
    assert Ruling.objects.count() == 0
    desk.go_back()
    expect(desk.locator(f'.desk-root[data-dispute="{first}"]')).to_be_visible()


def test_focus_is_on_the_dispute_after_each_ruling(desk: Page) -> None:
    for key in "12":
        press(desk, key)
        expect(desk.locator("[data-focus]")).to_be_focused()


def test_a_held_key_rules_once(desk: Page) -> None:
    first = shown(desk)
    desk.keyboard.down("1")
    desk.keyboard.down("1")  # what a key held down sends: repeats
    desk.keyboard.down("1")
    desk.keyboard.up("1")
    expect(desk.locator(f'.desk-root:not([data-dispute="{first}"])')).to_be_visible()
    desk.wait_for_load_state("networkidle")
    assert [str(each.dispute_id) for each in Ruling.objects.all()] == [first]


def test_criteria_are_amended_from_the_desk_by_keys(desk: Page, project: Project) -> None:
    stays = shown(desk)
    desk.keyboard.press("e")
    expect(desk.locator('textarea[name="criteria-functional"]')).to_be_focused()
    desk.keyboard.press("Control+a")
    desk.keyboard.type("Even grey.")
    desk.get_by_label("What changed, and why").focus()
    desk.keyboard.type("Clearer")
    desk.keyboard.press("Tab")
    expect(desk.get_by_role("button", name="Publish: another wording only")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("guideline version 2")).to_be_visible()
    assert shown(desk) == stays
    newest = Guideline.objects.filter(project=project).latest("number")
    assert (newest.number, newest.note) == (2, "Clearer")
    assert newest.definitions.get(label_class__key="functional").criteria == "Even grey."


def test_the_photo_is_zoomed_and_moved_by_keys(desk: Page) -> None:
    desk.locator("[data-stage]").focus()
    for key in ("+", "+", "+"):
        desk.keyboard.press(key)
    expect(desk.locator("[data-lens]")).to_contain_text("220 %")
    before = desk.locator("[data-stage] img").first.bounding_box()
    desk.keyboard.press("ArrowLeft")
    after = desk.locator("[data-stage] img").first.bounding_box()
    assert before and after and after["x"] - before["x"] == pytest.approx(80, abs=0.5)
    desk.keyboard.press("0")
    expect(desk.locator("[data-lens]")).to_be_hidden()
    assert Ruling.objects.count() == 0
