"""An admin brings labels in: the page shows by itself what was found, says what would happen, and takes it back."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from labeling.exchange.imports.services import latest_job
from labeling.exchange.models import Import
from labeling.truth.models import Origin
from tests.browser import axe
from tests.exchange.bringing import run, table, truths, unlabeled

PageFor = Callable[..., Page]
FILE = table([("side.png", "good", "anna"), ("gone.png", "good", "anna"), ("a b.png", "defectiv", "bob")])


def work() -> None:
    job = latest_job(Import.objects.get())
    assert job is not None and run(job).state == "succeeded"


def test_labels_come_in_and_go_out_again(transactional_db: None, page_for: PageFor) -> None:
    project, _photos = unlabeled()
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/imports")
    expect(page.get_by_text("Nothing was imported yet.")).to_be_visible()
    sent = {"name": "cvat.csv", "mimeType": "text/csv", "buffer": FILE}
    page.get_by_label("Labels, or an archive of labels with their photos").set_input_files([sent])
    page.get_by_role("button", name="Send and look").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    work()
    expect(page.get_by_role("heading", name="What these labels are")).to_be_visible()
    expect(page.get_by_label("defectiv")).to_have_value("defective")  # proposed
    page.get_by_label("Ground truths that train").check()
    page.get_by_label("good").select_option("functional")
    assert axe.faults(page) == []
    page.get_by_role("button", name="Save and look again").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    work()
    expect(page.get_by_role("cell", name="No photo of this project is called so")).to_be_visible()
    page.get_by_role("button", name="Bring in 2 labels").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    work()
    expect(page.get_by_role("button", name="Take the import back")).to_be_visible()
    assert {origin for _label, origin in truths(project).values()} == {Origin.IMPORTED}
    page.get_by_role("button", name="Take the import back").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    work()
    expect(page.get_by_role("link", name="Taken back 2")).to_be_visible()
    assert truths(project) == {}
