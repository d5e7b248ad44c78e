"""The catalog's pages in a real browser: photos come in, are browsed, and the guideline is amended, on any width."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, Page, expect

from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Guideline, IntakeBatch, IntakeFile, Item, Project
from labeling.people.models import User
from tests.factories import make_member, make_project, photo_bytes
from tests.stack import Stack

PageFor = Callable[..., Page]

#: What is wider than the window, and is not meant to be scrolled sideways.
OVERFLOWING = """() => {
  const width = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll('main *')].filter((each) => {
    const box = each.getBoundingClientRect();
    const meant = each.closest('.table-scroll:not(:has(.members)), .tabs, .strip, .sr-only, thead, pre');
    return box.width && (box.right > width + 1 || box.left < -1) && !meant;
  });
  return [document.documentElement.scrollWidth - width, ...out.map((each) => each.outerHTML.slice(0, 100))];
}"""

#: Parts of the drop box that stick out of it.
OUT_OF_THE_BOX = """() => {
  const zone = document.querySelector('[data-drop-zone]').getBoundingClientRect();
  return [...document.querySelectorAll('[data-drop-zone] *')]
    .map((each) => each.getBoundingClientRect())
    .filter((box) => box.left < zone.left || box.right > zone.right).length;
}"""


@pytest.fixture
def project(live_stack: Stack) -> Project:
    project = make_project()
    images = [(add_image(data=photo_bytes(n, size=(160, 120)))[0], f"cell-{n}.png") for n in range(4)]
    add_items(project=project, images=images, source="march")
    return project


@pytest.fixture
def admin(project: Project) -> User:
    return project.created_by


def test_photos_are_listed_and_ticked_ones_become_exemplars(
    project: Project, admin: User, page_for: PageFor
) -> None:
    page = page_for(admin)
    page.goto(f"/p/{project.slug}/photos")
    photos = page.locator(".photo-grid img")
    expect(photos).to_have_count(4)
    for photo in photos.all():
        photo.scroll_into_view_if_needed()
        expect(photo).not_to_have_js_property("naturalWidth", 0)  # a thumbnail came, not a broken picture
    page.get_by_label("Choose cell-1.png").check()
    page.get_by_label("Choose cell-2.png").check()
    page.get_by_text("Make exemplars").click()
    page.get_by_label("Exemplars of").select_option("defective")
    page.get_by_label("Note").fill("Two clear ones")
    page.get_by_role("button", name="Publish: another wording only").click()
    page.wait_for_url("**/guideline")
    expect(page.get_by_text("The photos are exemplars now.")).to_be_visible()
    expect(page.locator('article img[alt="Exemplar of Defective"]')).to_have_count(2)


def test_photos_of_one_delivery_are_shown_alone(project: Project, admin: User, page_for: PageFor) -> None:
    more = [(add_image(data=photo_bytes(50))[0], "later.png")]
    add_items(project=project, images=more, source="april")
    for source in ("march", "april"):
        IntakeBatch.objects.create(project=project, kind="upload", source=source, created_by=admin)
    page = page_for(admin)
    page.goto(f"/p/{project.slug}/photos")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("From", exact=True).select_option("april")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".photo-grid img")).to_have_count(1)
    expect(page.get_by_text("later.png")).to_be_visible()


def test_a_bad_file_among_good_ones_is_refused_by_name_and_the_good_ones_come_in(
    project: Project, admin: User, page_for: PageFor, live_stack: Stack
) -> None:
    live_stack.start_worker()
    page = page_for(admin)
    page.goto(f"/p/{project.slug}/intake")
    good = [
        FilePayload(name=f"new-{n}.jpg", mimeType="image/jpeg", buffer=photo_bytes(100 + n, format="JPEG"))
        for n in range(2)
    ]
    bad = [
        FilePayload(name="notes.jpg", mimeType="image/jpeg", buffer=b"bring milk"),
        FilePayload(name="dot.png", mimeType="image/png", buffer=photo_bytes(7, size=(1, 1))),
    ]
    again = FilePayload(name="again.png", mimeType="image/png", buffer=photo_bytes(0, size=(160, 120)))
    page.get_by_label("Photos, or a zip archive of photos").set_input_files([*good, *bad, again])
    expect(page.get_by_text("5 files chosen")).to_be_visible()
    page.get_by_label("Name of this delivery").fill("evening")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/intake/*")
    expect(page.get_by_role("heading", name="Rejected files")).to_be_visible()
    expect(page.locator(".dl")).to_contain_text("Added 2")
    expect(page.locator(".dl")).to_contain_text("Duplicates 1")
    for name, advice in (("notes.jpg", "This is not a photo."), ("dot.png", "fewer than 32 pixels")):
        expect(page.get_by_role("row", name=name)).to_contain_text(advice)
    outcomes = dict(IntakeFile.objects.values_list("name", "outcome"))
    assert outcomes == {
        "new-0.jpg": "added",
        "new-1.jpg": "added",
        "notes.jpg": "refused",
        "dot.png": "refused",
        "again.png": "duplicate",
    }
    assert set(Item.objects.filter(source="evening").values_list("name", flat=True)) == {
        "new-0.jpg",
        "new-1.jpg",
    }
    page.get_by_role("link", name="See the photos").click()
    expect(page.locator(".photo-grid img")).to_have_count(2)


def test_sending_without_a_file_says_so_and_sends_nothing(
    project: Project, admin: User, page_for: PageFor
) -> None:
    page = page_for(admin)
    page.goto(f"/p/{project.slug}/intake")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-drop-status]")).to_have_text("Choose at least one photo, or a zip archive.")
    one = FilePayload(name="one.png", mimeType="image/png", buffer=photo_bytes(1))
    page.get_by_label("Photos, or a zip archive of photos").set_input_files([one])
    expect(page.locator("[data-drop-status]")).to_have_text("One file chosen")
    assert not IntakeFile.objects.exists()


def test_a_guideline_is_amended_and_its_lists_have_bullets(
    project: Project, admin: User, page_for: PageFor
) -> None:
    page = page_for(admin)
    page.goto(f"/p/{project.slug}/guideline/edit")
    functional = page.locator("[data-class]", has_text="functional").first
    functional.get_by_label("Name").fill("Works")
    functional.get_by_label("Criteria").fill("All of these:\n- it glows\n- no crack")
    functional.get_by_role("button", name="Move back").click()
    page.get_by_label("What changes, and why").fill("Shorter")
    page.get_by_role("button", name="Publish: another wording only").click()
    expect(page.get_by_text("Version 2 of the guideline.")).to_be_visible()
    points = page.locator("article ul.points li")
    expect(points).to_have_text(["it glows", "no crack"])
    assert points.first.evaluate("(point) => getComputedStyle(point).listStyleType") == "disc"
    newest = Guideline.objects.filter(project=project).latest("number")
    names = list(newest.definitions.order_by("position").values_list("name", flat=True))
    assert (newest.note, names) == ("Shorter", ["Defective", "Works"])


def test_somebody_elses_version_in_between_is_told_and_what_was_typed_stays(
    project: Project, admin: User, page_for: PageFor
) -> None:
    first, second = page_for(admin), page_for(admin)
    for page in (first, second):
        page.goto(f"/p/{project.slug}/guideline/edit")
        page.locator("[data-class]").first.get_by_label("Criteria").fill(f"typed {page is first}")
        page.get_by_label("What changes, and why").fill("why")
    for page in (first, second):
        page.get_by_role("button", name="Publish: another wording only").click()
    expect(first.get_by_text("Version 2 of the guideline.")).to_be_visible()
    expect(second.get_by_role("alert")).to_contain_text("Somebody published version 2")
    expect(second.locator("[data-class]").first.get_by_label("Criteria")).to_have_value("typed False")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(project: Project, admin: User, page_for: PageFor, scheme: str) -> None:
    make_member(project, "reviewer", "somebody-with-a-very-long-user-name-that-does-not-break")
    page = page_for(admin, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    for name in ("photos", "intake", "guideline", "guideline/edit", "members", "settings"):
        page.goto(f"/p/{project.slug}/{name}")
        assert page.evaluate(OVERFLOWING) == [0], name
        if name == "intake":
            assert page.evaluate(OUT_OF_THE_BOX) == 0
