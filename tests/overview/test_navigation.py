"""The navigation shows each role every page that it may open, and no other; and says where one is."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.navigation import ALL, Group, Navigation, Page, navigation
from labeling.catalog.permissions import ALLOWED, Action
from tests.gateway.addresses import address_of
from tests.gateway.conftest import World, make_world
from tests.gateway.test_who_may_use_each_route import MAY, _is_page

pytestmark = pytest.mark.django_db

ROLES = ("viewer", "labeler", "reviewer", "admin", "superuser")
PAGES: list[Page] = [page for each in ALL for page in (each.pages if isinstance(each, Group) else [each])]


@pytest.fixture
def world() -> World:
    return make_world()


def links(page: str) -> dict[str, tuple[str, str]]:
    """Address -> (aria-current, text) of each link in the rows of the navigation."""
    found = {}
    head = page.split('class="project-head"')[1].split("</section>")[0]
    for row in re.findall(r'<nav class="tabs.*?</nav>', head, re.S):
        for tag, inner in re.findall(r"<a\s(.*?)>(.*?)</a>", row, re.S):
            current = re.search(r'aria-current="(\w+)"', tag)
            text = re.sub(r"<svg.*?</svg>|<[^>]*>", "", inner, flags=re.S)
            found[tag.split('href="')[1].split('"')[0]] = (current[1] if current else "", text.strip())
    return found


def all_rows(client: Client, slug: str) -> set[str]:
    """Addresses in the row of all, and in the second row of each of its groups."""
    first = links(client.get(reverse("project", args=[slug])).content.decode())
    groups = [to for to, (_current, text) in first.items() if text in ("Insights", "Setup")]
    return set(first).union(*(links(client.get(to).content.decode()) for to in groups))


@pytest.mark.parametrize("role", ROLES)
def test_each_link_opens_and_no_page_is_missing(world: World, role: str) -> None:
    client = world.client(role)
    shown = all_rows(client, world.project.slug)
    addresses = [reverse(page.name, args=[world.project.slug]) for page in PAGES]
    assert shown == {each for each in addresses if client.get(each).status_code == 200}
    assert all(client.get(each).status_code == 200 for each in shown)


def test_each_role_has_six_entries_at_most() -> None:
    said = {
        role: [str(each.text) for each in navigation(can, "project").entries] for role, can in ALLOWED.items()
    }
    assert said == {
        "viewer": ["Overview", "Dashboard", "Guideline"],
        "labeler": ["Overview", "Label", "Guideline"],
        "reviewer": ["Overview", "Label", "Review", "Photos", "Insights", "Guideline"],
        "admin": ["Overview", "Label", "Review", "Photos", "Insights", "Setup"],
    }


def test_a_group_stands_open_while_one_of_its_pages_is(world: World) -> None:
    client = world.client("admin")
    slug = world.project.slug
    page = client.get(reverse("monitors", args=[slug])).content.decode()
    rows = links(page)
    current = {address: said for address, (said, _text) in rows.items() if said}
    # The group's own link leads to its first page, which the second row tells apart.
    assert current == {reverse("monitors", args=[slug]): "page"}
    assert re.search(r'aria-current="true"\s*><svg.*?</svg>Insights', page, re.S)
    assert '<nav class="tabs below" aria-label="Insights">' in page
    assert reverse("members", args=[slug]) not in rows
    closed = client.get(reverse("project", args=[slug])).content.decode()
    assert "tabs below" not in closed


def test_open_alerts_are_counted_on_the_way_to_the_monitors(world: World) -> None:
    client = world.client("reviewer")
    address = reverse("monitors", args=[world.project.slug])
    beside = links(client.get(reverse("frontier", args=[world.project.slug])).content.decode())
    assert beside[address][1].split() == ["Monitors", "1", "open", "alerts"]
    assert links(client.get(address).content.decode())[address] == ("page", "Monitors")


def test_every_page_of_a_project_says_where_one_is(world: World) -> None:
    """What an admin may look at, pages below those of the navigation too: one of its pages is the current one."""
    client = world.client("admin")
    looked_at = []
    for name, methods in MAY.items():
        if not _is_page(name) or "GET" not in methods or not address_of(world, name).startswith("/p/"):
            continue
        response = client.get(address_of(world, name))
        if response.status_code != 200 or not response["Content-Type"].startswith("text/html"):
            continue
        page = response.content.decode()
        if 'class="project-head"' not in page:
            continue
        looked_at.append(name)
        assert [said for said, _text in links(page).values()].count("page") == 1, name
    assert {page.name for page in PAGES} - {"label"} <= set(looked_at)
    assert {"near-duplicates", "adaptation", "derive", "intake-batch", "model", "frontier-decision"} <= set(
        looked_at
    )


def test_who_may_nothing_is_shown_nothing() -> None:
    assert navigation([], "project") == Navigation()
    assert [each.name for each in navigation([Action.VIEW], "members").entries] == ["project", "guideline"]
