"""An admin makes a data set in two clicks, has it in one more, and hears what cannot be made."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

from playwright.sync_api import Page, expect

from labeling.catalog.models import Project
from tests.browser import axe
from tests.exchange.conftest import NAMES, settle_photos
from tests.factories import make_project

PageFor = Callable[..., Page]


def test_a_data_set_is_made_and_fetched_from_the_page(transactional_db: None, page_for: PageFor) -> None:
    project: Project = settle_photos(make_project())
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/data-sets")
    expect(page.get_by_text("None was made yet.")).to_be_visible()
    page.get_by_label("Format").select_option("huggingface")
    page.get_by_role("button", name="Make it").click()
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("Hugging Face datasets")
    with page.expect_download() as download:
        row.get_by_role("link", name="Download Hugging Face datasets").click()
    with zipfile.ZipFile(download.value.path()) as file:
        photos = [name for name in file.namelist() if name.startswith("train/") and ".jsonl" not in name]
    assert len(photos) == len(NAMES)
    assert axe.faults(page) == []


def test_what_cannot_be_made_is_said_beside_the_field(transactional_db: None, page_for: PageFor) -> None:
    project = make_project()
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/data-sets")
    page.get_by_text("Photos, split and labels").click()
    page.get_by_label("For validation, %").fill("60")
    page.get_by_label("For test, %").fill("40")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("Leave at least 10 percent of the photos to train on.").first).to_be_visible()
    expect(page.get_by_label("For validation, %")).to_have_value("60")
