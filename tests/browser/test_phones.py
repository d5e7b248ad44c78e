"""On a phone: no key is named where there is no keyboard, nothing lies beside the page, and what is needed comes first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.models import Project
from labeling.people.models import User
from tests.browser.cameras import PHONE
from tests.browser.test_own_pixels import dispute, items_of, open_label, plain, seen_in
from tests.factories import make_member, make_project, make_user

PageFor = Callable[..., Page]


@pytest.fixture
def project(live_stack: object) -> Project:
    project = make_project(checklist_required=True)
    items = items_of(project, *(plain(n) for n in range(4)))
    dispute(project, items[0])
    return project


def keys_named(page: Page) -> list[str]:
    """Key caps that are seen, and words that are said of keys."""
    said = page.locator("body").inner_text()
    named = [word for word in ("Enter", "Esc", "Press", "press", " key", "Keys") if word in said]
    return page.locator("kbd:visible").all_inner_texts() + named


def test_a_phone_names_no_keys_while_labeling_and_a_desk_does(project: Project, page_for: PageFor) -> None:
    phone, desk = page_for(make_member(project), **PHONE), page_for(make_member(project))
    for page in (phone, desk):
        open_label(page, project)
    for _step in range(3):
        assert keys_named(phone) == []
        assert {"Enter", "Esc"} <= set(keys_named(desk))
        for page in (phone, desk):
            page.locator("#tour-next").click()
    for panel in ("light", "help"):
        for page in (phone, desk):
            page.locator(f"#{panel}-toggle").click()
        assert keys_named(phone) == [], panel
        assert "Esc" in keys_named(desk)
    expect(phone.get_by_role("heading", name="Help")).to_be_visible()
    phone.locator("[data-close=help]").click()
    phone.locator("[data-why=hold]").click()
    expect(phone.locator("[data-reasons=hold]")).to_be_visible()
    assert keys_named(phone) == []


@pytest.mark.parametrize("name", ["review", "photos"])
def test_neither_does_a_page_on_which_photos_open(project: Project, page_for: PageFor, name: str) -> None:
    page = page_for(project.created_by, **PHONE)
    page.goto(f"/p/{project.slug}/{name}")
    if name == "photos":
        page.locator("a[data-photo]").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert keys_named(page) == []


def test_no_column_of_people_or_tokens_lies_beside_the_page(live_stack: object, page_for: PageFor) -> None:
    admin = make_user(is_superuser=True, email="an.administrator@quality-inspection.example.co.kr")
    page = page_for(admin, **PHONE)
    page.goto("/account")
    page.get_by_label("Name").fill("nightly export")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_role("rowheader", name="nightly export")).to_be_visible()
    for address, told in (("/account", "nightly export"), ("/people", admin.email)):
        page.goto(address)
        table = page.locator(".table-scroll")
        expect(table).to_contain_text(told)
        assert table.evaluate("(one) => one.scrollWidth <= one.clientWidth"), address
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_role("cell", name=admin.email)).to_be_in_viewport(ratio=1)


def test_an_account_begins_with_what_is_needed_most(live_stack: object, page_for: PageFor) -> None:
    page = page_for(make_user(), **PHONE)
    page.goto("/account")
    order = [
        page.get_by_role("link", name="Change password"),
        page.get_by_role("button", name="Sign out everywhere"),
        page.get_by_role("heading", name="Tokens for programs"),
        page.get_by_role("button", name="Make a token"),
        page.get_by_role("heading", name="History"),
    ]
    tops = [(part.bounding_box() or {})["y"] for part in order]
    assert tops == sorted(tops)


def test_a_table_that_scrolls_shows_at_its_edge_that_it_does(live_stack: object, page_for: PageFor) -> None:
    page = page_for(make_user(), **PHONE)
    page.goto("/account")
    page.evaluate(
        """() => {
            document.getElementById('main').insertAdjacentHTML(
                'afterbegin', '<div class="table-scroll" id="wide"><table class="table"><tr><td>A</td></tr></table></div>');
            document.querySelector('#wide table').style.width = '60rem';
        }"""
    )
    table = page.locator("#wide")
    box = table.bounding_box()
    assert box is not None

    def edges() -> tuple[int, int]:
        """How much darker the left and the right edge are than the ground, in an empty line above the first row."""
        y = box["y"] + 2
        ground, left, right = (
            int(seen_in(page, box["x"] + x, y, 1).mean()) for x in (box["width"] / 2, 2, box["width"] - 3)
        )
        return ground - left, ground - right

    assert edges()[0] < 5 < edges()[1]
    table.evaluate("(one) => { one.scrollLeft = one.scrollWidth; }")
    assert edges()[1] < 5 < edges()[0]


def test_no_class_is_pointed_at_unless_somebody_points(project: Project, page_for: PageFor) -> None:
    Project.objects.filter(pk=project.pk).update(checklist_required=False)
    ann = make_member(project)
    User.objects.filter(pk=ann.pk).update(toured_at=project.created_at)
    page = page_for(ann)
    open_label(page, project)
    meant = page.locator(".lb-class.focus")
    expect(meant).to_have_count(0)
    looks = page.locator(".lb-class").evaluate_all(
        "(all) => all.map((one) => [getComputedStyle(one).backgroundColor, getComputedStyle(one).borderLeftColor])"
    )
    assert len({tuple(look) for look in looks}) == 1
    page.locator("[data-answer=defective]").hover()
    expect(meant).to_have_attribute("data-class", "defective")
    before = page.evaluate("document.documentElement.dataset.shown")
    page.keyboard.press("1")
    page.wait_for_selector(f'html[data-shown]:not([data-shown="{before}"])', state="attached")
    expect(meant).to_have_count(0)


@pytest.mark.parametrize("width", [390, 360])
def test_the_navigation_of_a_phone_shows_where_one_is(
    project: Project, page_for: PageFor, width: int
) -> None:
    """All of the first row at once; the second row scrolls, with the current page in sight; the page itself does not."""
    page = page_for(project.created_by, **PHONE | {"viewport": {"width": width, "height": 844}})
    for name, group in (("", None), ("monitors", "Insights"), ("jobs", "Setup")):
        page.goto(f"/p/{project.slug}/{name}")
        first = page.get_by_role("navigation", name="Project", exact=True)
        assert first.evaluate("(row) => row.scrollWidth <= row.clientWidth")
        for link in first.get_by_role("link").all():
            expect(link).to_be_in_viewport(ratio=1)
            assert (link.bounding_box() or {})["height"] >= 44
        if group:
            here = page.get_by_role("navigation", name=group).locator("[aria-current=page]")
            expect(here).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("scrollY") == 0
