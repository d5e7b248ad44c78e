"""An earlier photo beside, on the labeling screen and on a question sheet, as a person asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from labeling.catalog.images import add_items
from labeling.catalog.models import Item, Project
from labeling.inspections.models import Asset, Inspection, InspectionPhoto, Protocol, ProtocolVersion, Shot
from labeling.people.models import User
from labeling.queue.sheets.services import create_sheet
from labeling.truth import events
from labeling.truth.models import EARLIER, Annotation, Dispute, GroundTruth
from tests.browser import axe
from tests.browser.test_labeling_screen import Screen, project_with_photos
from tests.browser.test_question_sheet import Screen as SheetScreen
from tests.factories import join, make_member, make_project, make_user

PageFor = Callable[..., Page]


@pytest.fixture
def labeler(db: None) -> User:
    """One car that was photographed three times, of which two projects ask; the first photo is settled in both."""
    clean = project_with_photos(3, slug="clean", classes=("clean", "dirty"))
    dent = make_project(slug="dent", classes=("none", "dented"), admin=clean.created_by)
    items = list(Item.objects.filter(project=clean).select_related("image").order_by("pk"))
    add_items(project=dent, images=[(each.image, each.name) for each in items], source="test")
    protocol = Protocol.objects.create(slug="wash", name="Wash", created_by=clean.created_by)
    version = ProtocolVersion.objects.create(
        protocol=protocol, number=1, otherwise="held", created_by=clean.created_by,
        passed_name="Passed", held_name="Held", failed_name="Failed",
    )  # fmt: skip
    shot = Shot.objects.create(version=version, position=0, key="front", name="Front")
    asset = Asset.objects.create(kind="car", identifier="12가3456")
    for n, item in enumerate(items):
        inspection = Inspection.objects.create(
            protocol=protocol, version=version, asset=asset, external_id=f"wash-{n}", event="wash", origin="api",
            happened_at=timezone.now() - timedelta(days=9 - n),
        )  # fmt: skip
        InspectionPhoto.objects.create(inspection=inspection, shot=shot, number=1, image=item.image)
    for project in (clean, dent):
        Project.objects.filter(pk=project.pk).update(earlier_allowed=True)
        first = Item.objects.get(project=project, image=items[0].image)
        GroundTruth.objects.create(
            project=project, item=first, kind="class", label_class=project.label_classes.first(),
            origin="agreement", guideline=project.guidelines.get(),
        )  # fmt: skip
        events.settled.send(sender=Annotation, project=project, item_ids=[first.pk])
    create_sheet(slug="wash", name="Wash", projects=["clean", "dent"], by=clean.created_by)
    person = make_user()
    join(clean, person)
    join(dent, person)
    return person


def expect_stored(expected: list[tuple[str, str, bool]]) -> None:
    """(project, draw, whether it says what was shown beside) of all answers, oldest first, as soon as they have come."""
    deadline, found = time.monotonic() + 60, None
    while found != expected and time.monotonic() < deadline:
        rows = Annotation.objects.order_by("id").select_related("project")
        found = [(row.project.slug, row.draw, EARLIER in row.context) for row in rows]
        time.sleep(0.05)
    assert found == expected


def expect_earlier(page: Page, photo_in_question: str = "#photos") -> None:
    """It stands beside the photo, whole."""
    first = Item.objects.filter(project__slug="clean").select_related("image").order_by("pk")[0]
    photo = page.locator("#earlier-photo")
    expect(photo).to_be_visible()
    assert first.image.sha256 in str(photo.get_attribute("src"))
    page.wait_for_function("() => document.getElementById('earlier-photo').naturalWidth > 0")
    photos, beside = page.locator(photo_in_question).bounding_box(), photo.bounding_box()
    assert photos and beside
    apart = any(
        one[start] + one[size] <= other[start]
        for start, size in (("x", "width"), ("y", "height"))
        for one, other in ((photos, beside), (beside, photos))
    )
    assert apart, "none lies over the other"


def test_who_asks_for_it_sees_it_beside_and_answers_not_blind(
    live_stack: object, labeler: User, page_for: PageFor
) -> None:
    page = page_for(labeler)
    screen = Screen(page, Project.objects.get(slug="clean")).open()
    expect(page.locator("#earlier")).to_be_hidden()
    page.keyboard.press(".")
    expect_earlier(page)
    assert not axe.faults(page)
    page.keyboard.press(".")
    expect(page.locator("#earlier")).to_be_hidden()
    page.locator("#earlier-toggle").click()
    expect_earlier(page)
    screen.press("1")
    expect(page.locator("#earlier")).to_be_hidden()
    said = [("clean", "sweep", True)]
    expect_stored(said)

    page.set_viewport_size({"width": 390, "height": 844})
    sheet = SheetScreen(page).open()
    page.keyboard.press(".")
    expect_earlier(page)
    asked = page.locator("html").get_attribute("data-asked")
    page.keyboard.press("1")
    expect_stored([*said, (str(asked), "sweep", True)])
    assert sheet.shown


def test_a_reviewer_sees_it_beside_a_dispute_and_rules_not_blind(
    live_stack: object, labeler: User, page_for: PageFor
) -> None:
    project = Project.objects.get(slug="clean")
    second, third = Item.objects.filter(project=project).order_by("pk")[1:]
    for item in (second, third):
        Dispute.objects.create(project=project, item=item, round=1, cause="disagreement")
    page = page_for(make_member(project, "reviewer"), reduced_motion="reduce")
    page.goto("/p/clean/review")
    expect(page.locator("#earlier")).to_be_hidden()
    page.keyboard.press(".")
    expect_earlier(page, ".desk-photo .photo-frame")
    assert not axe.faults(page)
    page.keyboard.press(".")
    expect(page.locator("#earlier")).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#earlier-toggle").click()
    expect_earlier(page, ".desk-photo .photo-frame")
    page.keyboard.press("1")
    expect(page.locator(".desk-root")).not_to_have_attribute("data-dispute", str(_dispute_of(second).pk))
    expect(page.locator("#earlier")).to_be_hidden()
    page.keyboard.press("1")
    expect(page.locator("[data-ruling]")).to_have_count(0)
    draws = GroundTruth.objects.filter(item__in=[second, third], origin="ruling").order_by("item")
    assert [each.draw for each in draws] == ["sweep", "rank"]


def _dispute_of(item: Item) -> Dispute:
    return Dispute.objects.get(item=item)
