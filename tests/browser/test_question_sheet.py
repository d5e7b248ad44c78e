"""A question sheet in a real browser: one photo, a key each, every answer stored at once in its own project."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.images import add_items
from labeling.catalog.models import Item, Project
from labeling.people.models import User
from labeling.queue.models import QuestionSheet
from labeling.queue.sheets.services import create_sheet
from labeling.truth.models import Annotation
from tests.browser import axe
from tests.browser.test_labeling_screen import project_with_photos
from tests.factories import join, make_project, make_user

PageFor = Callable[..., Page]
PHOTOS = 5


@pytest.fixture
def sheet(db: None) -> QuestionSheet:
    """Of two questions about the same photos; in the second one each photo has to be looked at."""
    clean = project_with_photos(PHOTOS, slug="clean", classes=("clean", "dirty"))
    dent = make_project(
        slug="dent", classes=("none", "dented", "torn"), admin=clean.created_by, min_view_ms=1
    )
    for project, question in ((clean, "Is the car clean?"), (dent, "Is there a dent?")):
        Project.objects.filter(pk=project.pk).update(question=question, name=project.slug.capitalize())
    items = Item.objects.filter(project=clean).select_related("image")
    add_items(project=dent, images=[(each.image, each.name) for each in items], source="test")
    return create_sheet(slug="wash", name="Wash", projects=["clean", "dent"], by=clean.created_by)


@pytest.fixture
def labeler(sheet: QuestionSheet) -> User:
    person = make_user()
    for project in sheet.projects:
        join(project, person)
    return person


class Screen:
    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, sheet: str = "wash") -> Screen:
        self.page.goto(f"/sheet/{sheet}/")
        self.page.wait_for_selector("html[data-shown]", state="attached")
        return self

    @property
    def shown(self) -> str:
        return str(self.page.evaluate("document.documentElement.dataset.shown"))

    def expect_asked(self, project: str) -> None:
        self.page.wait_for_selector(f'html[data-shown][data-asked="{project}"]', state="attached")

    def answer(self, *keys: str, then: str) -> None:
        """Press keys that answer the question, and wait until ``then`` is asked."""
        for key in keys:
            self.page.keyboard.press(key)
        self.expect_asked(then)

    def expect_saved(self) -> None:
        self.page.wait_for_selector('#state[data-state="saved"]')


def expect_answers(person: User, expected: list[tuple[str, str]]) -> None:
    """(project, class or reason) of all that stand, oldest first, are these as soon as they have come."""
    deadline = time.monotonic() + 60
    found: list[tuple[str, str]] = []
    while found != expected and time.monotonic() < deadline:
        standing = Annotation.objects.standing().filter(labeler=person).order_by("id")
        rows = standing.select_related("project", "label_class")
        found = [(row.project.slug, row.label_class.key if row.label_class else row.reason) for row in rows]
        time.sleep(0.05)
    assert found == expected


def test_two_questions_a_photo_by_keyboard_with_undo_a_reload_and_a_lost_network(
    live_stack: object, labeler: User, page_for: PageFor
) -> None:
    screen = Screen(page_for(labeler)).open()
    page = screen.page
    expect(page.locator("#question")).to_have_text("Is the car clean?")
    first = screen.shown
    screen.answer("1", then="dent")
    assert screen.shown == first
    expect(page.locator("#questions button").first).to_contain_text("Clean")
    expect(page.locator("#classes button")).to_have_count(3)
    screen.answer("3", then="clean")
    assert screen.shown != first
    said = [("clean", "clean"), ("dent", "torn")]
    expect_answers(labeler, said)
    one, two = Annotation.objects.order_by("id")
    assert one.item.image_id == two.item.image_id and one.shown_at and two.shown_at
    # The second question's time began when the first one's was over.
    assert (two.shown_at - one.shown_at).total_seconds() * 1000 >= one.view_ms - 2

    screen.answer("z", then="dent")  # back on the first photo, at its second question alone
    assert screen.shown == first
    screen.answer("h", "3", then="clean")
    said = [("clean", "clean"), ("dent", "hidden")]
    expect_answers(labeler, said)
    screen.expect_saved()

    # Answered in part, it is asked on after a reload.
    second = screen.shown
    screen.answer("2", then="dent")
    screen.expect_saved()
    screen.open()
    screen.expect_asked("dent")
    expect(page.locator("#questions li")).to_have_count(1)
    screen.answer("1", then="clean")
    assert screen.shown != second

    page.context.set_offline(True)
    screen.answer("x", "1", then="clean")  # the photo is unusable for both
    expect(page.locator("#state-text")).to_contain_text("2 answers are waiting")
    page.context.set_offline(False)
    screen.expect_saved()
    said += [("clean", "dirty"), ("dent", "none"), ("clean", "blurred"), ("dent", "blurred")]
    expect_answers(labeler, said)

    screen.answer("s", then="clean")  # nothing of this photo for me
    screen.answer("1", then="dent")
    page.keyboard.press("1")
    expect(page.locator("#card-title")).to_have_text("You are through")
    expect_answers(labeler, [*said, ("clean", "clean"), ("dent", "none")])


def test_each_question_has_to_be_looked_at_for_itself(
    live_stack: object, labeler: User, page_for: PageFor
) -> None:
    Project.objects.filter(slug="dent").update(min_view_ms=3_600_000)
    screen = Screen(page_for(labeler)).open()
    screen.expect_asked("clean")
    screen.page.keyboard.press("x")  # one look for both, of which each would need an hour
    screen.page.keyboard.press("1")
    expect(screen.page.locator("#live")).to_have_text("A moment longer, please.")
    screen.page.keyboard.press("Escape")
    screen.answer("1", then="dent")
    expect(screen.page.locator("#live")).to_contain_text("Is there a dent?")
    screen.page.keyboard.press("1")
    expect(screen.page.locator("#live")).to_have_text("A moment longer, please.")
    screen.expect_saved()
    expect_answers(labeler, [("clean", "clean")])


@pytest.mark.parametrize("language", ["en", "ko"])
def test_its_pages_pass_for_screen_readers_in_both_languages(
    live_stack: object, sheet: QuestionSheet, page_for: PageFor, language: str
) -> None:
    page = page_for(sheet.created_by, locale=language)
    faults = {}
    for address in ("/sheets/", "/sheets/new/", "/sheets/wash/", "/sheet/wash/"):
        page.goto(address)
        if address == "/sheet/wash/":
            page.wait_for_selector("html[data-shown]", state="attached")
        assert page.evaluate("document.documentElement.lang") == language
        faults[address] = axe.faults(page)
    assert not any(faults.values()), faults
