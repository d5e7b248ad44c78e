"""An admin imports a classifier: sends it, says what its columns are, sees what it says of photos, and takes it.

With ``HILLTOP_IMPORT_SHOTS`` set to a folder, the page is photographed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect
from pytest_django import Settings

import labeling.learning.tasks  # noqa: F401  (registers the handlers)
from labeling.jobs.models import JobState
from labeling.learning.importing import services
from labeling.learning.selectors import champion
from tests.browser.axe import faults
from tests.learning.building import run_job
from tests.learning.test_importing_a_model import named, project_with_photos


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.BACKBONES_DIR = tmp_path / "backbones"
    settings.MODELS_DIR = tmp_path / "models"


def test_a_classifier_is_sent_tried_and_taken(page_for: Callable[..., Page]) -> None:
    project, _items = project_with_photos(12)
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/models")
    page.get_by_role("link", name="Import (ONNX)").click()
    _shoot(page, "empty")
    page.get_by_label("Model (.onnx)").set_input_files(_file(b"PK\x03\x04"))
    page.get_by_role("button", name="Send and look").click()
    expect(page.get_by_text("This is a file of PyTorch, and no ONNX.")).to_be_visible()

    page.get_by_label("Model (.onnx)").set_input_files(
        _file(named({0: "Functional", 1: "scratch", 2: "crack"}, columns=3))
    )
    page.get_by_role("button", name="Send and look").click()
    expect(page.locator(".job-progress")).to_contain_text("Look at a model that was sent")
    run_job(services.jobs(project).get())
    # It comes by itself: one column is proposed, of the others nothing is known.
    expect(page.get_by_label("Functional", exact=True)).to_have_value("functional")
    expect(page.get_by_label("crack", exact=True)).to_have_value("?")
    expect(page.get_by_role("button", name="Import it as a version")).to_have_count(0)
    page.get_by_label("crack", exact=True).select_option("defective")
    page.get_by_role("button", name="Try it on photos").click()
    expect(page.get_by_text("Choose a class, or leave the column out.")).to_be_visible()
    page.get_by_label("scratch", exact=True).select_option("defective")
    page.get_by_label("Mean").fill("0.5")
    page.get_by_role("button", name="Try it on photos").click()
    expect(page.locator(".job-progress")).to_be_visible()
    run_job(services.jobs(project).filter(state=JobState.QUEUED).get())
    expect(page.locator(".judged > li")).to_have_count(12)
    expect(page.get_by_label("Mean")).to_have_value("0.5, 0.5, 0.5")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            _shoot(page, f"tried-{width}-{scheme}")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert faults(page) == []
    page.get_by_role("button", name="Import it as a version").click()
    expect(page.locator(".job-progress")).to_contain_text("Import a model")
    run_job(services.jobs(project).filter(state=JobState.QUEUED).get())
    expect(page.get_by_role("link", name="version 1")).to_be_visible()
    _shoot(page, "taken")
    made = champion(project)
    assert made is not None and made.manifest["columns"] == ["functional", "defective", "defective"]


def _file(data: bytes) -> FilePayload:
    return {"name": "scratches.onnx", "mimeType": "application/octet-stream", "buffer": data}


def _shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("HILLTOP_IMPORT_SHOTS"):
        page.screenshot(path=Path(folder) / f"import-{name}.png", full_page=True)
