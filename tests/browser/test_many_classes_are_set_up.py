"""A project of many classes from its creation to its guideline's second version, with the mouse and the keyboard."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from labeling.catalog.models import ClassState, Project
from labeling.catalog.selectors import active_definitions, current_guideline
from tests.factories import make_member, make_user

PageFor = Callable[..., Page]
OVERFLOWS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


def test_rows_and_a_list_make_three_hundred_classes_and_two_of_them_are_edited_as_one_version(
    page_for: PageFor,
) -> None:
    page = page_for(make_user(is_superuser=True), viewport={"width": 390, "height": 844})
    page.goto("/new")
    page.get_by_label("Name").first.fill("Cars")
    page.get_by_label("Question").fill("What is broken?")
    page.get_by_role("group", name="Class 1").get_by_label("Name").fill("Nothing")
    page.get_by_role("group", name="Class 2").get_by_label("Name").fill("Dent")
    page.get_by_role("button", name="Add a class").click()
    third = page.get_by_role("group", name="Class 3")
    expect(third.get_by_label("Name")).to_be_focused()
    third.get_by_label("Name").fill("Rust")
    third.get_by_label("Group").fill("Body")
    page.get_by_text("Many classes", exact=True).click()
    page.get_by_label("Paste a list").fill("\n".join(f"Glass / Chip {n}" for n in range(297)))
    page.get_by_label("Question").press("Enter")  # creates the project, and adds no row
    page.wait_for_url("**/p/cars/intake")
    project = Project.objects.get(slug="cars")
    assert len(active_definitions(project)) == 300

    page.goto("/p/cars/guideline")
    assert not page.evaluate(OVERFLOWS)
    find = page.get_by_label("Find a class")
    find.fill("chip 29")
    expect(page.get_by_role("status").filter(has_text="8 classes")).to_be_visible()
    expect(page.locator("#classes details:visible")).to_have_count(8)
    find.fill("nothing of the kind")
    expect(page.get_by_text("No class is called so.")).to_be_visible()

    page.get_by_role("link", name="Edit").click()
    page.wait_for_url("**/guideline/edit")
    for name, text in (("Rust", "Brown and flaking."), ("Chip 296", "Smaller than a coin.")):
        page.get_by_label("Find a class").fill(name)
        page.get_by_label("Find a class").press("Enter")
        opened = page.locator("[data-class]:visible")
        expect(opened).to_have_count(1)
        opened.get_by_label("Criteria").fill(text)
    page.get_by_label("Find a class").fill("")
    assert not page.evaluate(OVERFLOWS)
    page.get_by_label("What changes, and why").fill("Two of three hundred")
    page.get_by_role("button", name="the meaning changes").click()
    expect(page.get_by_text("Version 2 of the guideline.")).to_be_visible()
    assert current_guideline(project).number == 2
    said = {each.name: each.criteria for each in active_definitions(project) if each.criteria}
    assert said == {"Rust": "Brown and flaking.", "Chip 296": "Smaller than a coin."}
    assert all(each.state == ClassState.ACTIVE for each in active_definitions(project))


def test_without_a_script_rows_are_added_classes_are_found_and_a_preset_is_looked_at(
    page_for: PageFor,
) -> None:
    page = page_for(make_user(is_superuser=True), java_script_enabled=False)
    page.goto("/new")
    page.get_by_label("Name").first.fill("Cars")
    page.get_by_role("group", name="Class 2").get_by_label("Name").fill("Dent")
    page.get_by_role("button", name="Add a class").click()
    expect(page.get_by_role("group", name="Class 4")).to_be_visible()
    expect(page.get_by_role("group", name="Class 2").get_by_label("Name")).to_have_value("Dent")
    page.get_by_label("Question").fill("What is broken?")
    page.get_by_text("Many classes", exact=True).click()
    page.get_by_label("Paste a list").fill("\n".join(f"Glass / Chip {n}" for n in range(40)))
    page.get_by_role("button", name="Create project").click()
    page.wait_for_url("**/p/cars/intake*")  # a browser carries the fragment of the rows on

    page.goto("/p/cars/guideline/edit")
    page.get_by_label("Find a class").fill("chip 39")
    page.get_by_role("button", name="Find").click()
    page.locator("[data-class]", has_text="Chip 39").get_by_label("Criteria").fill("Tiny.")
    page.get_by_label("What changes, and why").fill("One")
    page.get_by_role("button", name="another wording only").click()
    expect(page.get_by_text("Version 2 of the guideline.")).to_be_visible()

    page.goto("/p/cars/settings")
    page.get_by_role("link", name="See what “Very strict” changes").click()
    expect(page.get_by_role("row", name="Answers per photo 2 3")).to_be_visible()
    page.get_by_role("button", name="Save 5 changes").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    project = Project.objects.get(slug="cars")
    assert (project.answers_per_image, project.min_view_ms, project.name) == (3, 500, "Cars")
    labeler = page_for(make_member(project, "labeler"))
    labeler.goto("/p/cars/settings")
    expect(labeler.get_by_role("heading", name="Settings")).to_have_count(0)
