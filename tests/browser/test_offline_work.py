"""Without a network for five minutes: as many photos as the person's pace needs are there, and every answer is stored."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue import services as queue
from labeling.queue.models import BandOpening
from labeling.queue.pace import go_on
from labeling.truth.services import Answer
from tests.browser.test_labeling_screen import Screen, wait_for_answers
from tests.factories import make_member, make_project, photo_bytes

PageFor = Callable[..., Page]
SECONDS_A_PHOTO = 12
HELD = 5 * 60 // SECONDS_A_PHOTO


@pytest.fixture
def project() -> Project:
    project = make_project(answers_per_image=1)
    images = [(add_image(data=photo_bytes(n, size=(48, 36)))[0], f"{n}.png") for n in range(HELD * 6)]
    add_items(project=project, images=images, source="test")
    return project


@pytest.fixture
def labeler(project: Project) -> User:
    """Somebody who takes twelve seconds for a photo."""
    user = make_member(project)
    User.objects.filter(pk=user.pk).update(toured_at=project.created_at)
    for slot in queue.claim(project=project, labeler=user, count=5):
        queue.submit(
            project=project,
            labeler=user,
            lease=slot.pk,
            key=uuid4(),
            answer=Answer("class", "functional"),
            view_ms=SECONDS_A_PHOTO * 1000,
        )
    return user


@pytest.fixture
def screen(live_stack: object, project: Project, labeler: User, page_for: PageFor) -> Screen:
    return Screen(page_for(labeler), project).open()


def test_answers_bring_the_photos_that_come_next(screen: Screen, labeler: User) -> None:
    page = screen.page
    expect(page.locator("#held")).to_have_text("5 min held")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url.rsplit("/", 1)[1]))
    with page.expect_response(
        lambda told: told.url.endswith("/annotations") and bool(told.json()["claimed"])
    ) as brought:
        for _ in range(4):  # more would tell the session's own pace
            screen.press("2")
    assert brought.value.json()["claimed"]["tasks"]
    wait_for_answers(labeler, 9)
    expect(page.locator("#held")).to_have_text("5 min held")
    assert "annotations" in posted and "claims" not in posted


def test_five_minutes_of_work_are_held_and_every_answer_is_stored(screen: Screen, labeler: User) -> None:
    page = screen.page
    expect(page.locator("#held")).to_have_text("5 min held")
    expect(page.locator("#held")).to_have_attribute("title", f"{HELD} photos are loaded and on loan to you: "
        "about 5 minutes of work, should the network go")  # fmt: skip
    assert page.locator("#photos img").count() < HELD, "only the next ones are decoded"

    page.context.set_offline(True)
    screen.expect_state(f"{HELD} photos are here, about 5 minutes of work")
    leases = []
    for _ in range(HELD):
        leases.append(screen.shown)
        screen.press("2")
    leases.append(screen.shown)
    page.keyboard.press("2")
    expect(page.locator("#card-title")).to_have_text("You answered every photo that was loaded")
    page.context.set_offline(False)
    screen.wait_for_photo()
    screen.expect_state("All saved")
    stored = wait_for_answers(labeler, 5 + HELD + 1)
    assert [str(row.slot.pk) for row in stored[5:]] == leases
    assert len({row.item_id for row in stored}) == len(stored)


def test_photos_that_nobody_looked_at_are_exchanged_when_the_order_changes(
    screen: Screen, project: Project, labeler: User
) -> None:
    page = screen.page
    expect(page.locator("#held")).to_have_text("5 min held")
    before = set(labeler.slots.filter(annotation=None).values_list("pk", flat=True))
    go_on(project, BandOpening.Cause.ADMIN)
    screen.press("1")
    stored = wait_for_answers(labeler, 6)
    page.evaluate("dispatchEvent(new Event('online'))")
    deadline = time.monotonic() + 60
    now = before
    while len(now - before) <= HELD / 2 and time.monotonic() < deadline:
        now = set(labeler.slots.filter(annotation=None).values_list("pk", flat=True))
    assert len(now - before) > HELD / 2
    expect(page.locator("#held")).to_have_text("5 min held")
    assert screen.shown in {str(pk) for pk in before}
    for _ in range(HELD):  # and what is shown is still ours
        screen.press("1")
    wait_for_answers(labeler, len(stored) + HELD)
    expect(page.locator("#refused")).to_be_hidden()
