"""The evidence of an inspection and the rules of its protocol, as they are looked at, overruled, tried and published."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import labeling.inspections.tasks  # noqa: F401  (registers the handler)
from labeling.catalog.models import Item
from labeling.inspections.models import Inspection
from labeling.inspections.services import Sent, create_protocol, record_inspection
from labeling.people.models import User
from labeling.truth import events
from labeling.truth.models import Annotation, GroundTruth
from tests.browser import axe
from tests.factories import make_project, make_user, photo_bytes
from tests.inspections.made import when, work

PageFor = Callable[..., Page]
#: Where pictures of both pages are put, if somebody wants to look at them.
PICTURES = os.environ.get("HILLTOP_TEST_PICTURES", "")


@pytest.fixture
def root(live_stack: object) -> User:
    return make_user(is_superuser=True)


@pytest.fixture
def washed(root: User) -> Inspection:
    """Front and rear are photographed and answered; the inside, which is optional, is not."""
    make_project(slug="wash", classes=("foam", "plain"), admin=root)
    make_project(slug="damage", classes=("none", "dent"), admin=root)
    both = ["wash", "damage"]
    protocol = create_protocol(
        by=root,
        slug="car-wash",
        name="Car wash",
        passed_name="Certified",
        shots=[
            {"key": "front", "name": "Front", "checks": both},
            {"key": "rear", "name": "Rear", "checks": both},
            {"key": "inside", "name": "Inside", "required": False, "checks": ["wash"]},
        ],
        rules=[
            {"outcome": "failed", "when": [when("damage", "any", "dent")]},
            {"outcome": "passed", "when": [when("wash", "any", "foam", shots=["front", "rear"])]},
        ],
    )
    made = record_inspection(
        protocol=protocol,
        by=root,
        external_id="W-1042",
        asset={"identifier": "12가 3456", "site": "Mapo"},
        event="wash",
        photos=[Sent(key, photo_bytes(n, size=(640, 480))) for n, key in enumerate(("front", "rear"))],
    )
    for item in Item.objects.filter(image__in=made.inspection.photos.values("image")).select_related(
        "project"
    ):
        project = item.project
        assert project is not None
        key = "foam" if project.slug == "wash" else "none"
        GroundTruth.objects.create(
            project=project,
            item=item,
            kind="class",
            label_class=project.label_classes.get(key=key),
            origin="agreement",
            guideline=project.guidelines.get(),
        )
        events.settled.send(sender=Annotation, project=project, item_ids=[item.pk])
    work()
    return made.inspection


def _kept(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_evidence_and_rules_pass_in_both_languages_light_and_dark(
    root: User, washed: Inspection, page_for: PageFor, language: str
) -> None:
    page = page_for(root, locale=language)
    for name, address in (
        ("inspection", f"/protocols/car-wash/inspections/{washed.pk}/"),
        ("rules", "/protocols/car-wash/rules/"),
    ):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        _kept(page, f"{name}-{language}")
        assert axe.faults(page) == [], name
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        _kept(page, f"{name}-{language}-phone")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 800})


def test_rules_are_tried_published_and_overruled_by_a_person(
    root: User, washed: Inspection, page_for: PageFor
) -> None:
    page = page_for(root)
    page.goto("/protocols/car-wash/rules/")
    page.get_by_label("Answers of row 2").select_option(["wash:plain"])
    page.get_by_role("button", name="Try on past inspections").click()
    expect(page.get_by_role("heading", name="1 of 1 inspections would have another verdict")).to_be_visible()
    assert axe.faults(page) == []
    _kept(page, "trial")
    page.get_by_label("What changes, and why").fill("Plain is enough in winter")
    page.get_by_role("button", name="Publish these rules").click()
    expect(page.get_by_text("Version 2 is in force.")).to_be_visible()
    page.goto(f"/protocols/car-wash/inspections/{washed.pk}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Certified")
    page.get_by_role("radio", name="Failed").check()
    page.get_by_label("Reason").fill("The foam is snow")
    page.get_by_role("button", name="Overrule").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Failed")
    expect(page.get_by_text("The foam is snow").first).to_be_visible()
    _kept(page, "overruled")
