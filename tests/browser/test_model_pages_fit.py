"""The pages of models keep their words in one piece: on a phone nothing is squeezed, at 1280 px nothing is cut.

With ``HILLTOP_MODEL_SHOTS`` set to a folder, they are photographed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page
from pytest_django import Settings

import labeling.learning.tasks  # noqa: F401  (registers the handlers)
from labeling.catalog.models import Item
from tests.learning.building import ask_again, run_job
from tests.learning.test_version_page import doubted_project


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.MODELS_DIR = tmp_path / "models"
    settings.BACKBONES_DIR = tmp_path / "backbones"


def test_nothing_is_squeezed_or_cut_at_360_and_1280_pixels(page_for: Callable[..., Page]) -> None:
    project, _version, _odd = doubted_project(slug="cells")
    randomly = Item.objects.filter(project=project).order_by("pk")[:30].values("pk")
    Item.objects.filter(pk__in=randomly).update(audit_drawn_at=timezone.now())
    run_job(ask_again(project, seed=1))
    page = page_for(project.created_by)
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/p/cells/models/2")
        page.locator("details").evaluate_all("each => each.forEach(one => { one.open = true; })")
        _shoot(page, f"version-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        heading = page.get_by_role("heading", name="suspected label error")
        table = page.locator(".figure details", has_text="Mean confidence")
        assert _box(heading)["width"] > 200 and _box(table)["width"] > 200
        if width == 1280:
            # Both rows of the navigation are in sight, each in one line, and no table of figures hides a column.
            rows = page.locator(".tabs").all()
            for part in (*rows, page.locator(".table-scroll:has(.figures)")):
                assert part.evaluate("one => one.scrollWidth <= one.clientWidth")
            assert [len({_box(tab)["y"] for tab in row.locator("a").all()}) for row in rows] == [1, 1]
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/p/cells/models")
    _shoot(page, "models-1280")
    buttons = [_box(each) for each in page.locator(".page-title a.button").all()]
    gaps = [b["x"] - a["x"] - a["width"] for a, b in pairwise(buttons)]
    assert len(buttons) == 6 and all(0 < gap < 24 for gap in gaps) and len({b["y"] for b in buttons}) == 1


def test_a_wish_that_is_no_share_is_said_beside_its_field(page_for: Callable[..., Page]) -> None:
    project, _version, _odd = doubted_project(slug="cells")
    page = page_for(project.created_by, viewport={"width": 360, "height": 900})
    page.goto("/p/cells/models/1?accuracy=150+%25")
    assert page.get_by_label("Target accuracy").get_attribute("aria-invalid") == "true"
    _shoot(page, "wish-360")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def _box(part: Locator) -> dict[str, float]:
    box = part.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"]}


def _shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("HILLTOP_MODEL_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
