"""The first promotion: before it there are no bands, whatever was answered; from it on they begin at the extremes."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

import labeling.learning.tasks
import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from labeling.jobs.models import Job
from labeling.queue.services import append_arrivals, claim
from tests.factories import make_member
from tests.learning.building import run_job, trained_project


def test_the_first_promotion_begins_at_the_extremes(
    live_stack: object, page_for: Callable[..., Page]
) -> None:
    project, items, _keys = trained_project(
        104, apart=3.0, unlabeled=60, slug="cells", bands=3, boundary_after=60
    )
    append_arrivals(project=project, item_ids=[item.pk for item in items[44:]])
    page = page_for(project.created_by)
    page.goto("/p/cells/")
    expect(page.get_by_text("Ground truths", exact=True)).to_be_visible()
    expect(page.get_by_text("Agreement in this band")).to_have_count(0)
    page.goto("/p/cells/frontier/bands")
    expect(page.get_by_text("There are no bands before the first model")).to_be_visible()

    page.goto("/p/cells/models/1")
    page.get_by_role("button", name="Promote version 1").click()
    expect(page.get_by_text("This version is the champion")).to_be_visible()
    run_job(Job.objects.live().of_project(project.pk).get(kind="rank"))

    page.goto("/p/cells/")
    expect(page.locator("[data-frontier] figcaption")).to_contain_text("The queue is at band 1 of 3")
    expect(page.locator(".diary")).to_contain_text("the bands begin, at the surest ones")
    expect(page.locator(".band.open")).to_have_count(2)  # the outermost of either ladder
    expect(page.locator(".band.open .band-face").first).to_have_attribute("data-band", "functional:0")
    (lent,) = claim(project=project, labeler=make_member(project), count=1)
    assert lent.context["band"] == 0
