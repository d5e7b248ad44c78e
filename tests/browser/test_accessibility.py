"""What a screen reader or a keyboard needs: on every page by axe-core, in both languages, and by pressing Tab."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Project
from labeling.frontier.models import AutomaticDecision
from labeling.truth.services import request_review
from tests.browser import axe
from tests.factories import make_member, make_project, photo_bytes
from tests.frontier.living import Living, make_living

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

#: Of a project whose first photos have just come in.
PAGES = (
    "photos",
    "photos?q=cell",
    "photos/bulk",
    "members",
    "guideline",
    "guideline/edit",
    "intake",
    "data-sets?search=q%3Dcell",
    "settings",
    "label",
    "mine",
    "review",
    "review/several",
    "labelers",
    "models",
    "models/import",
    "jobs",
    "",
    "near-duplicates",
    "map",
    "adaptation",
    "backbones",
    "lab",
    "derive",
    "frontier",
    "monitors",
    "dashboard",
    "week",
)

#: Of one that has been at work for weeks: plots, certificates, decisions, alerts, versions, disputes.
WORKED = (
    "",
    "review",
    "labelers",
    "frontier",
    "frontier/bands",
    "frontier/decisions",
    "frontier/policy",
    "monitors",
    "dashboard",
    "week",
    "models",
    "models/3",
    "models/3/cell/functional/functional",
    "models/4",
    "lab",
    "members",
)

#: Of no project; the last is none.
OUTSIDE = ("", "new", "account", "account/password", "people", "people/invite", "nothing-here")

#: For whoever is not signed in.
STRANGERS = ("login", "forgot", "forgot/sent")


@pytest.fixture
def project(live_stack: object) -> Project:
    project = make_project()
    make_member(project, "reviewer")
    images = [(add_image(data=photo_bytes(n, size=(160, 120)))[0], f"cell-{n}.png") for n in range(3)]
    items = add_items(project=project, images=images, source="test")
    request_review(project=project, item=items[0], by=project.created_by, note="Look again")
    return project


@pytest.fixture
def living(live_stack: object) -> Living:
    return make_living(days=80, photos=5, slug="cells")


def examine(page: Page, addresses: Iterable[str], language: str) -> dict[str, list[str]]:
    """What is wrong with each page, all that can be opened on it being open."""
    faults = {}
    for address in addresses:
        page.goto(address)
        if address.endswith("/label"):
            expect(page.locator("#loading")).to_be_hidden()
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        page.evaluate(axe.DRAWN)  # what is opened may fetch what is in it
        expect(page.locator(".htmx-request")).to_have_count(0)
        found = axe.faults(page)
        unasked = page.evaluate(UNASKED)
        if unasked != {"headings": 1, "unscoped": [], "nowhere": []}:
            found.append(f"unasked: {unasked}")
        if page.evaluate("document.documentElement.lang") != language:
            found.append(f"its language is not {language}")
        if found:
            faults[address] = found
    return faults


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_page_of_a_fresh_project_passes(project: Project, page_for: PageFor, language: str) -> None:
    page = page_for(project.created_by, locale=language)
    assert examine(page, [f"/p/{project.slug}/{name}" for name in PAGES], language) == {}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_page_of_a_project_at_work_passes(living: Living, page_for: PageFor, language: str) -> None:
    decision = AutomaticDecision.objects.filter(project=living.project).latest("pk")
    names = [*WORKED, f"frontier/decisions/{decision.pk}"]
    page = page_for(living.admin, locale=language)
    assert examine(page, [f"/p/{living.project.slug}/{name}" for name in names], language) == {}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_page_outside_of_projects_passes(project: Project, page_for: PageFor, language: str) -> None:
    admin = project.created_by
    admin.is_superuser = True
    admin.save()
    addresses = [*(f"/{name}" for name in OUTSIDE), f"/people/{admin.pk}"]
    assert examine(page_for(admin, locale=language), addresses, language) == {}
    assert examine(page_for(None, locale=language), [f"/{name}" for name in STRANGERS], language) == {}
    labeler = make_member(project)
    assert examine(page_for(labeler, locale=language), ["/", f"/p/{project.slug}/settings"], language) == {}


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
