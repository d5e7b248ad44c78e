"""The guideline changes while people label: the open page follows between two photos, and no answer changes its version."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.guidelines import amend_guideline
from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.truth.models import Annotation
from tests.browser.test_labeling_screen import Screen, project_with_photos, wait_for_answers
from tests.factories import make_member


@pytest.fixture
def project() -> Project:
    return project_with_photos(12)


@pytest.fixture
def labeler(project: Project) -> User:
    user = make_member(project)
    User.objects.filter(pk=user.pk).update(toured_at=project.created_at)
    return user


@pytest.fixture
def screen(live_stack: object, project: Project, labeler: User, page_for: Callable[..., Page]) -> Screen:
    return Screen(page_for(labeler), project).open()


def _amend(project: Project) -> None:
    """The keys change their meaning: the new class comes first."""
    amend_guideline(
        project=project,
        by=project.created_by,
        note="Dirt is a class of its own",
        add=[{"key": "dirty", "name": "Dirty", "criteria": "Something lies on it."}],
        criteria={"functional": "Nothing is broken, and nothing is dirty."},
        order=["dirty", "functional", "defective"],
    )


#: ``window.read`` is true as soon as the page that holds the new version was read, and what is done with it at once is done.
READ = """() => {
  const parse = DOMParser.prototype.parseFromString;
  DOMParser.prototype.parseFromString = function (...text) {
    setTimeout(() => { window.read = true; });
    return parse.apply(this, text);
  };
}"""


def _told(answers: list[Annotation]) -> list[tuple[str, int]]:
    return [(each.label_class.key if each.label_class else "", each.guideline.number) for each in answers]


def test_an_open_page_takes_the_new_guideline_between_two_photos(
    screen: Screen,
    project: Project,
    labeler: User,
) -> None:
    page = screen.page
    screen.press("1")
    wait_for_answers(labeler, 1)
    _amend(project)
    page.evaluate(READ)
    # A claim tells of the new version. The page makes none while it has a photo to spare, which it has when an answer
    # overtook the claim before: so it is made to ask, as when the network comes back.
    with page.expect_response(lambda response: response.url.endswith("/label") and response.ok):
        screen.press("1")
        page.evaluate("window.asking = setInterval(() => dispatchEvent(new Event('online')), 200)")
        wait_for_answers(labeler, 2)
    page.evaluate("clearInterval(window.asking)")
    page.wait_for_function("() => window.read")
    expect(page.locator("#changed")).to_be_hidden()
    assert page.locator("#answers [data-answer]").count() == 2, "no key changes under somebody's finger"

    screen.press("1")
    expect(page.locator("#changed")).to_contain_text("version 2")
    expect(page.locator("#changed")).to_contain_text("Dirt is a class of its own")
    expect(page.locator("#live")).to_contain_text("Dirt is a class of its own")
    expect(page.locator("#criteria")).to_contain_text("nothing is dirty")
    assert page.locator("#answers [data-answer]").first.get_attribute("data-answer") == "dirty"
    assert "Dirty" in (page.locator("#help dl").text_content() or "")

    screen.press("1")
    screen.press("z")  # undo still knows what was answered
    screen.press("2")
    page.keyboard.press("Escape")
    expect(page.locator("#changed")).to_be_hidden()
    assert _told(wait_for_answers(labeler, 5)) == [
        ("functional", 1),
        ("functional", 1),
        ("functional", 1),
        ("dirty", 2),
        ("functional", 2),
    ]


def test_answers_given_without_a_network_stay_under_the_version_that_the_page_showed(
    screen: Screen,
    project: Project,
    labeler: User,
) -> None:
    screen.wait_until_ahead(6)
    screen.page.context.set_offline(True)
    screen.press("1")
    screen.press("2")
    screen.expect_state("2 answers are waiting")
    _amend(project)
    screen.page.context.set_offline(False)
    assert _told(wait_for_answers(labeler, 2)) == [("functional", 1), ("defective", 1)]
    screen.expect_state("All saved")
