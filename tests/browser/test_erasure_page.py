"""An admin erases a photo from its page, sees what goes first, and brings it back."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from labeling.catalog.models import Item
from tests.browser import axe
from tests.exchange.conftest import settle_photos
from tests.factories import make_project

PageFor = Callable[..., Page]


def test_a_photo_is_erased_from_its_page_and_brought_back(transactional_db: None, page_for: PageFor) -> None:
    project = settle_photos(make_project())
    photo = Item.objects.filter(project=project, ground_truths__kind="class").earliest("pk")
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/photos/{photo.pk}")
    page.get_by_role("link", name="Erase it").click()
    expect(page.get_by_role("heading", name="What goes, and what stays")).to_be_visible()
    assert axe.faults(page) == []
    page.get_by_role("button", name="Erase them").click()
    expect(page.get_by_text("Say why").or_(page.get_by_text("This field is required"))).to_be_visible()
    page.get_by_label("Why").fill("A wish")
    page.get_by_role("button", name="Erase them").click()
    expect(page.get_by_role("heading", name="Bring them back")).to_be_visible()
    assert axe.faults(page) == []
    page.get_by_role("button", name="Bring them back").click()
    expect(page.get_by_text("The photos are back, as they were.")).to_be_visible()
    page.get_by_role("link", name=str(photo.pk), exact=True).click()
    expect(page.get_by_role("link", name="Erase it")).to_be_visible()
