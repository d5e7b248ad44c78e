"""From a search: with all that is found something is done, read before and taken back after; a data set, in two clicks."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from labeling.catalog.models import Role
from labeling.exchange.choosing import choose
from labeling.explorer.bulk.working import work
from labeling.explorer.models import Bulk
from labeling.jobs.models import Job
from labeling.jobs.progress import Progress
from labeling.truth.models import GroundTruth
from labeling.truth.services import Answer
from tests.browser.reviewing import answered
from tests.browser.test_dispute_story import look_at
from tests.factories import make_member, make_project


def run() -> None:
    """The worker's part."""
    job = Bulk.objects.get().job
    assert job is not None
    work(Progress(job))


def test_a_result_is_called_unusable_and_taken_back(
    live_stack: object, page_for: Callable[..., Page]
) -> None:
    project = make_project()
    functional = Answer("class", "functional")
    answered(
        project,
        (functional, functional),
        (functional, functional),
        (functional, Answer("class", "defective")),
    )
    page = page_for(make_member(project, Role.ADMIN))
    page.goto(f"/p/{project.slug}/photos?q=photo")
    page.get_by_text("With all that are found").click()
    look_at(page, "whole")
    whole = page.locator("#whole")
    whole.get_by_label("What", exact=True).select_option("Call them unusable")
    whole.get_by_label("Why").fill("Out of focus.")
    whole.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_role("heading", name="Call them unusable")).to_be_visible()
    run()
    page.reload()
    expect(page.get_by_text("It would be done with 2 photos.")).to_be_visible()
    expect(
        page.get_by_text("People may yet be asked about it, blind, or nobody has settled it.")
    ).to_be_visible()
    look_at(page, "looked")
    page.get_by_role("button", name="Do it with 2 photos").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    run()
    page.reload()
    expect(page.get_by_text("Done with 2 photos.")).to_be_visible()
    assert GroundTruth.objects.current().filter(kind="unusable").count() == 2
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Being taken back").first).to_be_visible()
    run()
    page.reload()
    expect(page.get_by_text("Taken back with 2 photos.")).to_be_visible()
    assert not GroundTruth.objects.current().filter(kind="unusable").exists()

    page.goto(f"/p/{project.slug}/photos?class=functional")
    page.get_by_text("With all that are found").click()
    page.get_by_role("link", name="Make a data set of them").click()
    expect(page.get_by_text("is Functional")).to_be_visible()
    look_at(page, "data-set")
    page.get_by_label("Format").select_option("csv")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("Its photos are looked for", exact=True)).to_be_visible()
    choose(Progress(Job.objects.get(kind="choose")))
    page.reload()
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("is Functional")
    with page.expect_download() as download:
        row.get_by_role("link", name="Download CSV").click()
    assert len(download.value.path().read_text().splitlines()) == 1 + 2
