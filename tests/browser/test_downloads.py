"""Tables and plots are saved from the pages that show them, and answers and ground truths in two clicks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, Page, expect

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.truth.models import Annotation, GroundTruth
from tests.browser import axe
from tests.factories import make_member, make_project
from tests.frontier.living import Living, make_living

PageFor = Callable[..., Page]
#: Every plot, and every table that is more than its head.
OFFERED = """() => [...document.querySelectorAll('main :is(table.table, .plot-area)')].every((each) =>
    each.dataset.offered !== undefined || each.rows?.length === 1)"""


@pytest.fixture
def living(live_stack: object) -> Living:
    made = make_living(days=30, photos=5, slug="cells")
    made.score_the_rest()
    return made


def saved(page: Page, button: Locator) -> tuple[str, str]:
    """The file that a press of Enter saves: its name and what is in it."""
    with page.expect_download() as download:
        button.press("Enter")
    return download.value.suggested_filename, Path(download.value.path()).read_text(encoding="utf-8")


def rows_of(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")  # Excel knows the letters by it
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_table_is_saved_as_it_is_shown_and_runs_nothing_that_somebody_typed(
    live_stack: object, page_for: PageFor
) -> None:
    project = make_project(slug="cells")
    for name, shown in (("eve", '=HYPERLINK("http://x","y")'), ("bob", "Kim, Bob")):
        person = make_member(project)
        User.objects.filter(pk=person.pk).update(username=name, first_name=shown)
    page = page_for(project.created_by)
    page.goto("/p/cells/members")
    table = page.locator("main table.table").first
    table.evaluate(
        """(table) => { table.tBodies[0].rows[0].cells[0].textContent = '=1+1';
        table.tBodies[0].rows[0].cells[1].textContent = 'a "b", c'; }"""
    )
    name, text = saved(page, page.get_by_role("button", name="CSV").first)
    rows = rows_of(text)
    assert name == "cells-members.csv"
    assert len(rows) == table.locator("tr").count() == 4
    assert rows[0][:3] == ["Name", "Role", "Since"]
    assert rows[1][:2] == ["'=1+1", 'a "b", c']


def test_numbers_below_zero_stay_numbers_and_spans_keep_the_columns(
    live_stack: object, page_for: PageFor
) -> None:
    project = make_project(slug="cells")
    page = page_for(project.created_by)
    page.goto("/p/cells/members")
    page.locator("main table.table tbody").first.evaluate(
        """(body) => { body.innerHTML = '<tr><td>-0.5</td><td>-cmd</td></tr>'
            + '<tr><td colspan="2">앞면</td><td>@x</td></tr>'; }"""
    )
    _name, text = saved(page, page.get_by_role("button", name="CSV").first)
    assert rows_of(text)[1:] == [["-0.5", "'-cmd"], ["앞면", "", "'@x"]]


def test_plots_are_saved_as_pictures_that_need_no_page(living: Living, page_for: PageFor) -> None:
    page = page_for(living.admin)
    page.goto("/p/cells/models")
    button = page.get_by_role("button", name="SVG").first
    name, text = saved(page, button)
    assert name.startswith("cells-models") and name.endswith(".svg")
    picture = ElementTree.fromstring(text)
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    lines = [each for each in picture.iter() if each.get("stroke", "none").startswith("rgb")]
    assert lines, "colours are written on the marks"
    assert not [each for each in picture.iter() if each.get("class")]


def test_every_table_and_plot_of_the_pages_with_figures_can_be_saved(
    living: Living, page_for: PageFor
) -> None:
    page = page_for(living.admin)
    for name in ("models", "labelers", "monitors", "members", "dashboard"):
        page.goto(f"/p/cells/{name}")
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        page.wait_for_selector("main :is(table.table, .plot-area)")
        page.evaluate(
            axe.DRAWN
        )  # what is opened may fetch what is in it, and does so after the event of its opening
        expect(page.locator(".htmx-request")).to_have_count(0)
        page.wait_for_function(
            OFFERED
        )  # what comes is offered in the next frame, and live parts come at any moment


def test_answers_and_ground_truths_are_two_clicks_away(living: Living, page_for: PageFor) -> None:
    page = page_for(living.admin)
    for place in ("photos", "dashboard"):
        page.goto(f"/p/cells/{place}")
        page.get_by_text("Export", exact=True).click()
        for what, label, count in (
            ("ground-truths", "Ground truths", GroundTruth.objects.filter(project=living.project).count()),
            ("annotations", "Answers", Annotation.objects.filter(project=living.project).count()),
        ):
            line = page.locator(".export-files li", has=page.get_by_text(label, exact=True))
            name, text = saved(page, line.get_by_role("link", name=f"CSV {label}"))
            assert name == f"cells-{what}.csv"
            assert len(rows_of(text)) == count + 1
            name, text = saved(page, line.get_by_role("link", name=f"JSONL {label}"))
            assert name == f"cells-{what}.jsonl"
            assert [json.loads(each)["id"] for each in text.splitlines()] == sorted(
                json.loads(each)["id"] for each in text.splitlines()
            )
            assert len(text.splitlines()) == count


def test_who_may_not_export_is_not_offered_it(living: Living, page_for: PageFor) -> None:
    page = page_for(living.reviewer)
    for place in ("photos", "dashboard"):
        page.goto(f"/p/cells/{place}")
        expect(page.locator(".export")).to_have_count(0)
    assert Project.objects.get().slug == "cells"
