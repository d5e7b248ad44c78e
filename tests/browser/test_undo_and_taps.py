"""Slips of the finger: an undo outlives a reload, and two quick taps are one answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue.models import Slot
from labeling.truth.models import Annotation, Retraction
from tests.browser.routing import take_over
from tests.browser.test_labeling_screen import Screen, answers_of, project_with_photos, wait_for_answers
from tests.factories import make_member

PageFor = Callable[..., Page]


@pytest.fixture
def project() -> Project:
    return project_with_photos(12)


@pytest.fixture
def labeler(project: Project) -> User:
    user = make_member(project)
    User.objects.filter(pk=user.pk).update(toured_at=project.created_at)
    return user


def _reload(screen: Screen) -> None:
    screen.page.reload()
    screen.wait_for_photo()


def test_what_was_done_before_a_reload_is_taken_back_after_it(
    live_stack: object, project: Project, labeler: User, page_for: PageFor
) -> None:
    screen = Screen(page_for(labeler), project).open()
    first = screen.shown
    screen.press("1")
    skipped = screen.shown
    with screen.page.expect_response(lambda response: response.url.endswith("/skip") and response.ok):
        screen.press("s")
    screen.expect_state("All saved")
    wrong = wait_for_answers(labeler, 1)[0]
    _reload(screen)
    expect(screen.page.locator("#undo")).to_be_enabled()
    expect(screen.page.locator("#undo-seconds")).not_to_be_empty()
    screen.press("z")
    assert screen.shown == skipped
    screen.press("z")
    assert screen.shown == first
    expect(screen.page.locator("#toast")).to_contain_text("Taken back: Functional")
    screen.press("2")
    screen.expect_state("All saved")
    right = wait_for_answers(labeler, 2)[1]
    assert (right.item_id, Retraction.objects.get().annotation_id) == (wrong.item_id, wrong.pk)
    assert list(Annotation.objects.standing().filter(labeler=labeler)) == [right]

    # What was taken back is not offered once more; what waits to be sent is.
    take_over(screen.page, "**/annotations", lambda route: route.abort())
    waiting = screen.shown
    screen.press("1")
    screen.expect_state("1 answer is waiting")
    _reload(screen)
    screen.press("z")
    assert screen.shown == waiting


def test_what_arrived_after_the_page_was_made_is_taken_back_first(
    live_stack: object, project: Project, labeler: User, page_for: PageFor
) -> None:
    screen = Screen(page_for(labeler), project).open()
    screen.press("1")
    skipped = screen.shown
    with screen.page.expect_response(lambda response: response.url.endswith("/skip") and response.ok):
        screen.press("s")
    screen.expect_state("All saved")
    wait_for_answers(labeler, 1)

    def as_made_before(route: Route) -> None:
        page = route.fetch().text()
        told = re.search(r'"undoable": (\[.*?\]), "checklistRequired"', page)
        assert told is not None
        known = [row for row in json.loads(told[1]) if not row["skipped"]]
        assert len(known) == 1
        route.fulfill(body=page.replace(told[1], json.dumps(known)), content_type="text/html")

    screen.page.route("**/label", as_made_before)
    _reload(screen)
    with screen.page.expect_response(
        lambda response: response.url.endswith(f"{skipped}/unskip") and response.ok
    ):
        screen.press("z")
    expect(screen.page.locator("#toast")).to_contain_text("Here is the skipped photo again.")
    assert not Slot.objects.filter(holder=labeler, skipped_at__isnull=False).exists()


def test_too_late_is_too_late_after_a_reload_as_well(
    live_stack: object, project: Project, labeler: User, page_for: PageFor
) -> None:
    Project.objects.filter(pk=project.pk).update(undo_seconds=1)
    screen = Screen(page_for(labeler), project).open()
    screen.press("1")
    wait_for_answers(labeler, 1)
    expect(screen.page.locator("#undo")).to_be_disabled()
    _reload(screen)
    expect(screen.page.locator("#undo")).to_be_disabled()
    screen.page.keyboard.press("z")
    expect(screen.page.locator("#toast")).to_have_text("There is nothing to undo.")


def _tap_twice(page: Page, selector: str, *, taps: int) -> None:
    """Two taps at one place and in one moment: the page's clock stands still until it has had ``taps`` of them in all."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    page.clock.pause_at(page.evaluate("Date.now() / 1000") + 30)
    for _ in range(2):
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("taps => window.taps === taps", arg=taps, polling=50)
    page.clock.resume()


def test_two_taps_are_one_answer(
    live_stack: object, project: Project, labeler: User, page_for: PageFor
) -> None:
    page = page_for(labeler, viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    page.clock.install()
    page.add_init_script("window.taps = 0; addEventListener('click', () => { window.taps += 1; }, true)")
    screen = Screen(page, project).open()
    screen.wait_until_ahead(6)
    before = screen.shown
    _tap_twice(page, "[data-answer=defective]", taps=2)
    screen.wait_for_photo(other_than=before)
    screen.expect_state("All saved")
    second = screen.shown
    _tap_twice(page, "[data-why=hold]", taps=4)  # the second falls on what takes its place
    expect(page.locator("[data-reasons=hold]")).to_be_visible()
    assert screen.shown == second
    page.keyboard.press("Escape")
    screen.press("1")
    said = [row.label_class.key for row in wait_for_answers(labeler, 2) if row.label_class]
    assert said == ["defective", "functional"]
    assert len(answers_of(labeler)) == 2
