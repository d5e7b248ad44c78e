"""The manager's pages and categories: readable by everybody, in both languages, and none wider than a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.metadata import values as metadata
from labeling.exchange.categories.looking import count_texts, propose_categories
from labeling.exchange.categories.services import make_vocabulary
from labeling.jobs.models import Job
from tests.browser import axe
from tests.factories import make_items
from tests.inspections.washing import MACHINE, PERSON, Wash

PageFor = Callable[..., Page]


@pytest.fixture
def addresses(live_stack: object) -> tuple[Wash, list[str]]:
    wash = Wash()
    for number in range(6):
        of = wash.inspect()
        wash.photo(of, 0)
        if number % 3 == 2:
            wash.photo(of, 1, "blurred")
            wash.judge(of, "held", missing=["rear"], unknown=[["front", "foam", "open"]])
        else:
            wash.judge(of, "passed", 5 * number, parts=[PERSON if number % 2 else MACHINE])
    texts = ["거품 세차", "거품세차", "foam wash", "foam wahs", "매트 청소"]
    items = make_items(wash.project, len(texts))
    given = {item.pk: metadata.checked({"work": text}) for item, text in zip(items, texts, strict=True)}
    metadata.put(project=wash.project, given=given, by=wash.by)
    of_texts = make_vocabulary(project=wash.project, by=wash.by, name="work")
    Job.objects.all().delete()  # what a worker would do is done here
    count_texts(of_texts)
    propose_categories(of_texts, None)
    return wash, [
        "/protocols/",
        "/protocols/wash/",
        "/protocols/wash/figures/",
        "/assets/car/12가3456/",
        "/p/foam/categories",
        f"/p/foam/categories/{of_texts.pk}",
    ]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_read_by_everybody(addresses: tuple[Wash, list[str]], page_for: PageFor, language: str) -> None:
    wash, pages = addresses
    page = page_for(wash.by, locale=language)
    for address in pages:
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        assert axe.faults(page) == [], address
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_a_text_is_said_merged_and_put_in_force(addresses: tuple[Wash, list[str]], page_for: PageFor) -> None:
    wash, pages = addresses
    page = page_for(wash.by)
    page.goto(pages[-1])
    # Spaces apart, or a slip of the hand: proposed as what is said more often.
    expect(page.get_by_label("거품세차", exact=True)).to_have_value("거품 세차")
    page.get_by_label("foam wash", exact=True).fill("거품 세차")
    page.get_by_label("foam wahs", exact=True).fill("거품 세차")
    page.get_by_label("매트 청소", exact=True).fill("")
    page.get_by_role("button", name="Keep what this page says").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_label("Note").fill("First")
    page.get_by_role("button", name="Save a version").click()
    expect(page.get_by_text("Version 1 is in force").first).to_be_visible()
    assert wash.project.vocabularies.get().versions.get().categories == dict.fromkeys(
        ("거품 세차", "거품세차", "foam wash", "foam wahs"), "거품 세차"
    )
