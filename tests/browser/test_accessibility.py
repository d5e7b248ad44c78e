"""What a screen reader or a keyboard needs on the pages with most controls: by axe-core, and by pressing Tab."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Project
from labeling.truth.services import request_review
from tests.browser import axe
from tests.factories import make_member, make_project, photo_bytes

PageFor = Callable[..., Page]

#: What axe does not ask: the only heading of a page, the scope of every head of a table, and labels that lead nowhere.
UNASKED = """() => ({
  headings: [...document.querySelectorAll('h1')].filter((each) => each.checkVisibility({ visibilityProperty: true })).length,
  unscoped: [...document.querySelectorAll('th:not([scope])')].map((each) => each.outerHTML),
  nowhere: [...document.querySelectorAll('label[for]')].filter((each) => !document.getElementById(each.htmlFor))
    .map((each) => each.outerHTML),
})"""

#: The control in focus: whether an outline, or a changed border or background, shows it; and where it is.
FOCUS = """() => {
  const each = document.activeElement;
  if (!each || each === document.body) return null;
  const style = getComputedStyle(each);
  const box = each.getBoundingClientRect();
  return {
    name: each.outerHTML.slice(0, 100),
    outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    place: [...document.querySelectorAll('*')].indexOf(each),
  };
}"""

PAGES = (
    "photos",
    "members",
    "guideline",
    "guideline/edit",
    "intake",
    "settings",
    "label",
    "review",
    "labelers",
    "models",
    "jobs",
    "",
)


@pytest.fixture
def project(live_stack: object) -> Project:
    project = make_project()
    make_member(project, "reviewer")
    images = [(add_image(data=photo_bytes(n, size=(160, 120)))[0], f"cell-{n}.png") for n in range(3)]
    items = add_items(project=project, images=images, source="test")
    request_review(project=project, item=items[0], by=project.created_by, note="Look again")
    return project


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_control_has_a_name_and_every_page_an_order(
    project: Project, page_for: PageFor, language: str
) -> None:
    page = page_for(project.created_by, locale=language)
    faults = {}
    for name in PAGES:
        page.goto(f"/p/{project.slug}/{name}")
        page.wait_for_load_state("networkidle" if name not in {"", "label"} else "load")
        if name == "label":
            expect(page.locator("#loading")).to_be_hidden()
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        if found := axe.faults(page):
            faults[name] = found
        assert page.evaluate(UNASKED) == {"headings": 1, "unscoped": [], "nowhere": []}, name
        assert page.evaluate("document.documentElement.lang") == language
    assert faults == {}


@pytest.mark.parametrize("name", ["photos", "members", "guideline", "intake"])
def test_tab_goes_down_the_page_and_the_focus_is_seen(project: Project, page_for: PageFor, name: str) -> None:
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/{name}")
    places = []
    for _step in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus is None:  # past the last control
            break
        assert focus["outlined"], focus["name"]
        assert focus["inView"], focus["name"]
        places.append(focus["place"])
    assert len(places) > 15
    assert places == sorted(places)


def test_the_first_tab_leads_past_the_navigation(project: Project, page_for: PageFor) -> None:
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/photos")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
