"""The frontier moves before an admin's eyes: real services, a real worker, a model that the worker has trained.

Photos are rows with vectors in the real store; people answer through the queue, as the labeling screen does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from labeling.catalog.models import Project
from labeling.frontier.auditing import MOST_WAITING, open_audits
from labeling.frontier.models import AutomaticDecision, Certificate, CertificateEnd
from labeling.jobs.models import Job, JobState
from labeling.learning.models import ModelVersion
from labeling.learning.services import promote, request_training
from labeling.people.models import User
from labeling.queue import pace
from labeling.queue.services import append_arrivals, claim, request_ranking, submit
from labeling.truth.services import Answer
from tests.factories import make_items, make_member
from tests.learning.building import separable_project, store_vectors
from tests.stack import Stack


class People:
    """Two labelers who know what each photo is."""

    def __init__(self, project: Project, truth: dict[int, str]) -> None:
        self.project = project
        self.truth = truth
        self.labelers: list[User] = [make_member(project) for _ in range(2)]

    def label(self, photos: int, until: Callable[[], bool] = lambda: False) -> int:
        """Each answers what the queue lends, ``photos`` photos or until something is so; return the answers given."""
        given = 0
        for _ in range(photos):
            if until():
                break
            for labeler in self.labelers:
                for slot in claim(project=self.project, labeler=labeler, count=1):
                    submit(
                        project=self.project,
                        labeler=labeler,
                        lease=slot.pk,
                        key=uuid4(),
                        answer=Answer(kind="class", class_key=self.truth[slot.item_id]),
                        view_ms=900,
                    )
                    given += 1
        return given


def until_idle(project: Project, patience: float = 180.0) -> None:
    """Wait for the worker; a job that failed fails the test with its own words."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        jobs = Job.objects.of_project(project.pk)
        for job in jobs.filter(state=JobState.FAILED):
            raise AssertionError(f"{job.kind} failed: {job.error}\n{job.trace}")
        if not jobs.live().exists():
            return
        time.sleep(0.1)
    raise AssertionError("the worker did not come to rest")


@pytest.fixture
def analyze(live_stack: Stack) -> Iterator[Callable[[], None]]:
    """As the database's own housekeeping would by then: its plans for tables that were empty take minutes."""

    def now() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    yield now
    with connection.cursor() as cursor:  # other tests' plans would go by this one's rows
        cursor.execute(
            "SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited) FROM pg_stats "
            "WHERE schemaname = 'public'"
        )
        cursor.execute(
            "SELECT pg_clear_relation_stats('public', relname) FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'i', 'I')"
        )


def test_bands_settle_a_certificate_appears_decides_and_a_corrupted_stream_suspends_it(
    live_stack: Stack, page_for: Callable[..., Page], analyze: Callable[[], None]
) -> None:
    project, items, keys = separable_project(
        260, apart=3.0, unlabeled=240, slug="cells", bands=3, boundary_after=90
    )
    truth = {item.pk: key for item, key in zip(items, keys, strict=True)}
    append_arrivals(project=project, item_ids=[item.pk for item in items[20:]])
    live_stack.start_worker()
    until_idle(project)
    analyze()
    request_training(project=project, by=project.created_by)
    until_idle(project)
    promote(model_version=ModelVersion.objects.get(), by=project.created_by, reason="The first")
    until_idle(project)
    people = People(project, truth)

    page = page_for(project.created_by)
    page.goto("/p/cells/frontier/bands")
    page.evaluate("window.notReloaded = true")
    expect(page.locator("html")).to_have_attribute("data-live", "on")

    # A band settles.
    rows = page.locator("table.gates tbody tr")
    open_now = pace.current_band(project)
    expect(rows.nth(open_now)).to_contain_text("open")
    expect(rows.nth(open_now)).to_contain_text("more ground truth")
    people.label(60, until=lambda: pace.current_band(project) > open_now)
    expect(rows.nth(open_now).get_by_text("settled", exact=True)).to_be_visible()
    expect(rows.nth(open_now + 1).get_by_text("open", exact=True)).to_be_visible()
    assert page.evaluate("window.notReloaded") is True

    # A certificate appears, on random photos that people are asked for.
    page.get_by_role("link", name="Policy").click()
    page.get_by_label("Target precision").fill("80")
    page.get_by_label("Planned random labels").fill("90")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The policy is applied.")).to_be_visible()
    page.get_by_role("link", name="Certified", exact=True).click()
    page.get_by_label("Random photos").fill("100")
    page.get_by_role("button", name="Request random labels").click()
    expect(page.get_by_text("come before all others")).to_be_visible()
    people.label(100)
    page.get_by_role("button", name="Certify now").click()
    expect(page.get_by_role("heading", name="of the pool is certified")).to_be_visible()
    until_idle(project)

    # The machine decides what lies inside; all of it is audited, so none is told before people have answered.
    page.get_by_role("link", name="Policy").click()
    page.get_by_label("On The machine decides").check()
    page.get_by_label("Audit rate of decisions").fill("100")
    page.get_by_label("Reason", exact=True).fill("It was right in shadow")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The policy is applied.")).to_be_visible()
    page.get_by_role("link", name="Decisions").click()
    asked = page.get_by_text("People are asked about all photos that it decided, blind.")
    expect(asked).to_be_visible()
    page.get_by_role("link", name="Certified", exact=True).click()
    expect(page.get_by_text("decisions go to people, blind; then 100 %")).to_be_visible()
    until_idle(project)
    while open_audits(
        project
    ):  # the machine waits for its auditors, and decides what is left when they have answered
        people.label(10)
        until_idle(project)

    # A corrupted stream: to the model these look like sure ones of a class that is certified, and are not.
    certified = (
        Certificate.objects.filter(project=project, ends__isnull=True).latest("coverage").label_class.key
    )
    other = "defective" if certified == "functional" else "functional"
    *stream, honest = make_items(project, 41, seed=9)
    store_vectors(project, [*stream, honest], [certified] * 40 + [other], apart=5.0)
    people.truth |= {item.pk: other for item in [*stream, honest]}
    append_arrivals(project=project, item_ids=[item.pk for item in [*stream, honest]])
    request_ranking(project=project)
    until_idle(project)
    assert AutomaticDecision.objects.filter(item__in=stream).count() == MOST_WAITING
    people.label(200, until=CertificateEnd.objects.filter(kind="suspended").exists)
    expect(page.get_by_role("heading", name="Suspended for")).to_be_visible()

    # And the admin reads why.
    expect(page.get_by_text("audited decisions were wrong").first).to_be_visible()
    expect(page.locator(".band-face").get_by_text("suspended").first).to_be_visible()
    page.goto("/p/cells/")
    expect(page.locator(".diary").get_by_text("is suspended").first).to_be_visible()
