"""Pages follow what happens on the server, and nothing moves that the person did not move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from labeling.jobs.models import Job, JobState
from tests.factories import make_project
from tests.stack import Stack

#: ``window.asking``: how many answers the page waits for.
COUNTED = """() => {
  const ask = window.fetch;
  window.asking = 0;
  window.fetch = async (...what) => {
    window.asking += 1;
    try { return await ask(...what); } finally { window.asking -= 1; }
  };
}"""


def _jobs_page(page_for: Callable[..., Page]) -> tuple[Page, Job, Any]:
    project = make_project(slug="live")
    job = Job.objects.create(kind="embed", project_id=project.pk, state=JobState.RUNNING, done=10, total=400)
    page = page_for(project.created_by)
    page.add_init_script(f"({COUNTED})()")
    page.goto("/p/live/jobs")
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    return page, job, project


def _say(job: Job, message: str) -> None:
    Job.objects.filter(pk=job.pk).update(message=message, done=200)


def test_a_page_shows_a_jobs_progress_without_being_reloaded(page_for: Callable[..., Page]) -> None:
    page, job, _project = _jobs_page(page_for)
    page.evaluate("window.notReloaded = true")
    _say(job, "Half of it is done")
    expect(page.get_by_text("Half of it is done")).to_be_visible()
    assert page.evaluate("window.notReloaded") is True


def test_focus_and_scroll_stay_where_they_were(page_for: Callable[..., Page]) -> None:
    page, job, _project = _jobs_page(page_for)
    live = page.locator("[data-live~=jobs]")
    page.set_viewport_size({"width": 800, "height": 240})
    live.locator("button, a, summary").first.focus()
    before = page.evaluate("document.activeElement.outerHTML")
    page.evaluate("window.scrollTo(0, 90)")
    scrolled = page.evaluate("window.scrollY")
    _say(job, "Going on")
    expect(page.get_by_text("Going on")).to_be_visible()
    assert page.evaluate("document.activeElement.outerHTML") == before
    assert page.evaluate("window.scrollY") == scrolled


def test_what_is_being_typed_is_not_replaced(page_for: Callable[..., Page]) -> None:
    page, job, _project = _jobs_page(page_for)
    page.evaluate(
        """() => {
            document.querySelector("[data-live~=jobs]").insertAdjacentHTML("beforeend", '<input id="typing">');
            document.getElementById("typing").focus();
        }"""
    )
    page.locator("#typing").fill("half a sen")
    page.wait_for_function("() => window.asking === 0")
    with page.expect_response(lambda response: "/jobs" in response.url and "It went on" in response.text()):
        _say(job, "It went on meanwhile")
    page.wait_for_function("() => window.asking === 0")
    assert page.locator("#typing").input_value() == "half a sen"
    page.locator("#typing").blur()
    expect(page.get_by_text("It went on meanwhile")).to_be_visible()


def test_without_the_stream_the_page_asks_every_ten_seconds(
    context_for: Callable[..., BrowserContext], live_stack: Stack
) -> None:
    project = make_project(slug="live")
    job = Job.objects.create(kind="embed", project_id=project.pk, state=JobState.RUNNING, done=10, total=400)
    page = context_for(project.created_by).new_page()
    page.clock.install()
    page.route("**/p/live/events", lambda route: route.abort())
    page.goto("/p/live/jobs")
    expect(page.locator("html")).to_have_attribute("data-live", "off")
    _say(job, "Told by asking")
    page.clock.fast_forward(10_000)
    expect(page.get_by_text("Told by asking")).to_be_visible()


def test_a_page_whose_session_ended_stays_as_it_is_and_asks_no_more(page_for: Callable[..., Page]) -> None:
    page, job, _project = _jobs_page(page_for)
    _say(job, "Everybody may see this")
    expect(page.get_by_text("Everybody may see this")).to_be_visible()
    page.context.clear_cookies()
    page.wait_for_function("() => window.asking === 0")  # what was asked before may still tell something
    _say(job, "Nobody may see this")
    expect(page.locator("html")).to_have_attribute("data-live", "away")
    assert "/login" not in page.url
    assert page.get_by_text("Nobody may see this").count() == 0
    assert page.locator("[data-live~=jobs]").inner_text().strip()
