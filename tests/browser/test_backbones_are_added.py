"""An admin gives a project a second backbone: its cost is said first, embedding it is watched and stopped, and what a
training makes of both is compared and promoted.

With ``HILLTOP_BACKBONE_SHOTS`` set to a folder, the pages are photographed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

import labeling.learning.tasks
import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from labeling.catalog.models import Project
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import Progress
from tests.factories import make_project
from tests.learning.building import run_job, settle
from tests.learning.test_embedding import with_photos

OWN, SECOND = "efficientnet_lite0", "efficientnet_lite1"
PHOTOS = 110


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.BACKBONES_DIR = tmp_path / "backbones"


def waiting(project: Project, kind: str) -> Job:
    return Job.objects.of_project(project.pk).get(kind=kind, state=JobState.QUEUED)


def test_a_second_backbone_is_priced_added_stopped_embedded_compared_and_promoted(
    page_for: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(slug="cells", backbone=OWN)
    items = with_photos(project, PHOTOS)
    run_job(waiting(project, "embed"))
    page = page_for(project.created_by)
    page.goto("/p/cells/models")
    page.get_by_role("link", name="Backbones").click()
    offered = page.locator("li.panel").filter(has=page.get_by_text(SECOND, exact=True))
    expect(offered).to_contain_text("Its pace was not measured on this machine yet.")
    _shoot(page, "before")

    # Its cost, before it is added; the page learns of it by itself.
    offered.get_by_role("button", name=f"Measure {SECOND}", exact=True).click()
    expect(page.locator(".job-progress")).to_contain_text("Measure a backbone's pace")
    run_job(waiting(project, "measure"))
    expect(offered).to_contain_text("Measured here on 32 photos (cpu).")
    expect(offered).to_contain_text(
        re.compile(rf"{PHOTOS} photos.*s a photo.*all of them: about .*of disk", re.S)
    )
    _shoot(page, "measured")

    offered.get_by_role("button", name=f"Add {SECOND}", exact=True).click()
    expect(page.get_by_text(f"{SECOND} is added.")).to_be_visible()
    used = page.locator("li.panel").filter(has=page.get_by_role("button", name=f"Drop {SECOND}", exact=True))
    expect(used).to_contain_text("looks beside it")

    # Embedding is watched, and stopped: what was done is kept.
    monkeypatch.setattr("labeling.jobs.progress.REPORT_EVERY_S", 0.0)
    report = Progress.report
    watched: list[int] = []

    def watch(self: Progress, done: int, *rest: Any) -> None:
        report(self, done, *rest)
        if not done or watched or f"{SECOND} (2/2)" not in str(rest[-1]):
            return
        watched.append(done)
        line = page.locator(".job-progress")
        expect(line).to_contain_text(f"Embedding photos · {SECOND} (2/2)")
        expect(line).to_contain_text(f"{done} / {PHOTOS - 34}")
        _shoot(page, "embedding")
        line.get_by_role("button", name="Cancel Embed photos").click()
        expect(page.get_by_text("What it has done so far is kept.")).to_be_visible()

    job = waiting(project, "embed")
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "report", watch)
        run_job(job)
    assert job.state == JobState.CANCELLED and watched == [32]
    page.goto("/p/cells/backbones")
    expect(page.locator(".job-progress")).to_have_count(0)
    page.get_by_role("button", name=f"Drop {SECOND}", exact=True).click()
    expect(page.get_by_text(f"{SECOND} is dropped.")).to_be_visible()
    run_job(waiting(project, "embed"))
    page.get_by_role("button", name=f"Add {SECOND}", exact=True).click()
    job = run_job(waiting(project, "embed"))
    assert 34 + 32 <= job.result["backbones"][1]["already"] < PHOTOS
    page.goto("/p/cells/backbones")
    expect(page.get_by_text(f"{PHOTOS} of {PHOTOS} photos embedded")).to_have_count(2)
    expect(page.get_by_text(f"The next training compares: {SECOND}.")).to_be_visible()

    settle(project, items[:40], ["functional", "defective"] * 20)
    page.goto("/p/cells/models")
    page.get_by_role("button", name="Train a new version").click()
    expect(page.locator(".job-progress")).to_contain_text("Train a model")
    job = run_job(waiting(project, "train"))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    page.get_by_role("link", name="Version 1").click()
    rows = page.locator("section", has=page.get_by_role("heading", name="Backbone", exact=True)).locator(
        "tbody tr"
    )
    expect(rows).to_have_count(3)
    for row, name in zip(rows.all(), (OWN, SECOND, f"{OWN} & {SECOND}"), strict=True):
        expect(row.locator("th")).to_contain_text(name)
        expect(row.locator("td").first).to_have_text(re.compile(r"[\d.]+"))
    expect(rows.nth(2)).to_contain_text("fused: the mean of their calibrated logits")
    expect(rows.get_by_text("chosen")).to_have_count(1)
    _shoot(page, "version")
    page.get_by_role("button", name="Promote version 1").click()
    expect(page.get_by_text("This version is the champion")).to_be_visible()
    page.goto("/p/cells/backbones")
    _shoot(page, "after")
    page.goto("/p/cells/adaptation")
    _shoot(page, "adaptation")
    page.goto("/p/cells/settings")
    page.locator("details").evaluate_all("each => each.forEach(one => { one.open = true; })")
    link = page.get_by_role("link", name="Further backbones, and what each costs")
    expect(page.locator(".field", has=link)).to_contain_text(f"Beside it look: {SECOND}.")
    _shoot(page, "settings")


def _shoot(page: Page, name: str) -> None:
    folder = os.environ.get("HILLTOP_BACKBONE_SHOTS")
    if not folder:
        return
    size = page.viewport_size
    assert size is not None
    for width, scheme in ((1280, "light"), (390, "light"), (390, "dark")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size)
