"""A customer disputes a charge: their photo is found by a part of its name, its history read and mended, and the next model
learns it so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Item, Role
from labeling.learning.training_set import training_set
from labeling.truth.models import GroundTruth
from labeling.truth.services import Answer
from tests.browser.axe import faults
from tests.browser.reviewing import answered
from tests.factories import make_member, make_project, photo_bytes

DISPUTED = "현장사진_서울/앞범퍼_12가3456_왼쪽.png"


def look_at(page: Page, name: str) -> None:
    """Nothing is wrong with the page, and none of it lies beside the window."""
    assert faults(page) == []
    for look, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 390, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} in {width} px"
        if folder := os.environ.get("HILLTOP_EXPLORER_SHOTS"):
            page.screenshot(path=Path(folder) / f"{name}-{look}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_wrong_label_is_found_read_mended_and_learned(
    live_stack: object, page_for: Callable[..., Page]
) -> None:
    project = make_project()
    functional = Answer("class", "functional")
    defective = Answer("class", "defective", comment="a scratch on the left")
    items = answered(project, (functional, functional), (defective, defective), (functional, functional))
    fresh = add_items(
        project=project, images=[(add_image(data=photo_bytes(9))[0], "fresh.png")], source="test"
    )[0]
    item = items[0]
    Item.objects.filter(pk=item.pk).update(name=DISPUTED)
    assert {each.item_id: each.class_id for each in training_set(project).examples}.keys() >= {item.pk}
    page = page_for(make_member(project, Role.ADMIN))
    page.goto(f"/p/{project.slug}/photos")
    look_at(page, "photos")
    page.keyboard.press("/")
    page.keyboard.type("12가3456")
    page.keyboard.press("Enter")
    expect(page.locator(".found > li")).to_have_count(1)
    look_at(page, "found")
    page.locator(".found-name").click()

    expect(page.get_by_role("heading", name=DISPUTED)).to_be_visible()
    history = page.locator(".moments")
    expect(history.get_by_text("Answered: Functional")).to_have_count(2)
    expect(history.get_by_text("Ground truth: Functional")).to_be_visible()
    look_at(page, "photo")
    # The labeling screen's tools are there.
    page.keyboard.press("+")
    expect(page.locator(".zoomable.zoomed")).to_be_visible()
    page.keyboard.press("0")
    expect(page.locator(".zoomable:not(.zoomed)")).to_be_visible()

    page.get_by_text("Correct it, or ask again").first.click()
    page.get_by_label("What it is").select_option("Defective")
    page.get_by_label("Why", exact=True).fill("The customer's own photo shows the scratch.")
    page.get_by_role("button", name="Correct", exact=True).click()
    expect(page.get_by_text("Corrected. What it was called before stays in the history.")).to_be_visible()
    expect(history.get_by_text("Ruled: Defective")).to_be_visible()
    expect(history.get_by_text("The customer's own photo shows the scratch.")).to_be_visible()
    expect(history.get_by_text("Answered: Functional")).to_have_count(2)
    look_at(page, "mended")

    called = {each.item_id: each.ground_truth_id for each in training_set(project).examples}
    truth = GroundTruth.objects.get(pk=called[item.pk])
    assert truth.label_class is not None and truth.label_class.key == "defective"
    assert GroundTruth.objects.filter(item=item).count() == 2, (
        "the earlier one is superseded, not overwritten"
    )

    # Of one that somebody may yet be asked about, nothing is told.
    page.goto(f"/p/{project.slug}/photos/{fresh.pk}")
    expect(page.get_by_text("People may yet be asked about this photo")).to_be_visible()
    expect(history.locator("li")).to_have_count(1)
    look_at(page, "untold")
