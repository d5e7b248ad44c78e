"""The labeling screen in a real browser, on the real server: what a labeler does is stored once, come what may."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from labeling.catalog.guidelines import amend_guideline
from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue.models import Slot
from labeling.truth.models import Annotation, Pause, Retraction
from tests.browser.routing import take_over
from tests.factories import join, make_member, make_project, photo_bytes

PageFor = Callable[..., Page]


def project_with_photos(count: int, **settings: Any) -> Project:
    project = make_project(**settings)
    images = [(add_image(data=photo_bytes(n, size=(320, 240)))[0], f"{n}.png") for n in range(count)]
    add_items(project=project, images=images, source="test")
    return project


class Screen:
    """The labeling screen as a person sees it."""

    def __init__(self, page: Page, project: Project) -> None:
        self.page = page
        self.project = project

    def open(self, *, end_tour: bool = True) -> Screen:
        self.page.goto(f"/p/{self.project.slug}/label")
        self.wait_for_photo()
        if end_tour and self.page.locator("#tour").count():
            self.page.keyboard.press("Escape")
        return self

    @property
    def shown(self) -> str:
        return str(self.page.evaluate("document.documentElement.dataset.shown"))

    def wait_for_photo(self, *, other_than: str = "") -> None:
        self.page.wait_for_selector(f'html[data-shown]:not([data-shown="{other_than}"])', state="attached")

    def press(self, key: str) -> None:
        """Press a key that answers, and wait until another photo is painted."""
        before = self.shown
        self.page.keyboard.press(key)
        self.wait_for_photo(other_than=before)

    def wait_until_ahead(self, count: int) -> None:
        """Wait until at least that many further photos are loaded and decoded."""
        expect(self.page.locator("#photos img").nth(count)).to_be_attached()

    def expect_state(self, text: str) -> None:
        expect(self.page.locator("#state-text")).to_contain_text(text)


@pytest.fixture
def project() -> Project:
    return project_with_photos(24)


@pytest.fixture
def labeler(project: Project) -> User:
    user = make_member(project)
    User.objects.filter(pk=user.pk).update(toured_at=project.created_at)
    return user


@pytest.fixture
def screen(live_stack: object, project: Project, labeler: User, page_for: PageFor) -> Screen:
    return Screen(page_for(labeler), project).open()


def answers_of(labeler: User) -> list[Annotation]:
    return list(Annotation.objects.filter(labeler=labeler).order_by("id"))


def wait_for_answers(labeler: User, count: int, seconds: float = 60) -> list[Annotation]:
    deadline = time.monotonic() + seconds
    while len(found := answers_of(labeler)) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(found) == count
    return found


def test_ten_photos_by_keyboard_then_five_without_a_network_are_all_stored_once(
    screen: Screen, labeler: User
) -> None:
    leases = []
    for n in range(10):
        leases.append(screen.shown)
        screen.press("12"[n % 2])
    stored = wait_for_answers(labeler, 10)
    assert [row.label_class.key for row in stored if row.label_class] == ["functional", "defective"] * 5
    screen.expect_state("All saved")
    screen.wait_until_ahead(6)

    screen.page.context.set_offline(True)
    for _n in range(5):
        leases.append(screen.shown)
        screen.press("1")
    screen.expect_state("5 answers are waiting")
    assert len(answers_of(labeler)) == 10

    screen.page.context.set_offline(False)
    screen.expect_state("All saved")
    stored = wait_for_answers(labeler, 15)
    assert len({row.item_id for row in stored}) == 15
    assert [str(slot) for slot in Slot.objects.filter(annotation__in=stored).order_by("annotation_id")
            .values_list("pk", flat=True)] == leases  # fmt: skip
    assert all(row.view_ms >= 0 and row.shown_at is not None for row in stored)


def test_answers_that_another_project_s_page_left_bring_no_photos_of_that_project(
    screen: Screen, labeler: User
) -> None:
    take_over(screen.page, "**/annotations", lambda route: route.abort())
    screen.press("1")
    screen.expect_state("1 answer is waiting")
    other = project_with_photos(3, slug="other")
    join(other, labeler)
    screen.page.goto("about:blank")  # the first page tries again by itself, and is not what is looked at
    sent: list[str] = []
    screen.page.on("request", lambda request: sent.append(request.post_data or "{}"))
    screen.page.unroute("**/annotations")
    Screen(screen.page, other).open()
    screen.expect_state("All saved")
    (stored,) = wait_for_answers(labeler, 1)
    (body,) = [json.loads(each) for each in sent if str(stored.key) in each]
    assert body.get("claim") is None


def test_answers_that_were_waiting_are_delivered_after_a_reload(screen: Screen, labeler: User) -> None:
    take_over(screen.page, "**/annotations", lambda route: route.abort())
    screen.press("1")
    screen.press("2")
    screen.expect_state("2 answers are waiting")
    answered = screen.page.evaluate("hilltop.answers.length")
    assert answered == 2
    assert not answers_of(labeler)

    screen.page.unroute("**/annotations")
    screen.page.reload()
    stored = wait_for_answers(labeler, 2)
    assert [row.label_class.key for row in stored if row.label_class] == ["functional", "defective"]
    screen.wait_for_photo()
    assert screen.shown not in {str(row.slot.pk) for row in stored}


def test_an_answer_whose_confirmation_got_lost_is_not_stored_twice(screen: Screen, labeler: User) -> None:
    lost: list[str] = []
    again: list[Any] = []

    def deliver_but_lose_the_answer(route: Any) -> None:
        if lost:
            again.append(route)
            return
        route.fetch()
        lost.append(route.request.post_data)
        route.abort()

    take_over(screen.page, "**/annotations", deliver_but_lose_the_answer)
    screen.press("1")
    screen.expect_state("1 answer is waiting")
    screen.page.unroute("**/annotations", deliver_but_lose_the_answer)
    for route in again:  # the second attempt, if it came already
        route.continue_()
    screen.expect_state("All saved")
    assert len(wait_for_answers(labeler, 1)) == 1
    expect(screen.page.locator("#refused")).to_be_hidden()


def test_hold_and_unusable_ask_for_their_reason_with_one_more_key(screen: Screen, labeler: User) -> None:
    height = screen.page.locator("#main").bounding_box()
    screen.page.keyboard.press("h")
    expect(screen.page.locator("[data-reasons=hold]")).to_be_visible()
    assert screen.page.locator("#main").bounding_box() == height, "the photo moved"
    screen.press("2")
    screen.page.keyboard.press("u")
    screen.page.keyboard.press("c")
    screen.page.keyboard.type("much too dark")
    screen.page.keyboard.press("Enter")
    screen.press("2")
    held, unusable = wait_for_answers(labeler, 2)
    assert (held.kind, held.reason, held.label_class) == ("hold", "criteria", None)
    assert (unusable.kind, unusable.reason, unusable.comment) == ("unusable", "exposure", "much too dark")


def test_undo_brings_the_photo_back_and_appends_that_it_was_taken_back(screen: Screen, labeler: User) -> None:
    first = screen.shown
    screen.press("1")
    wrong = wait_for_answers(labeler, 1)[0]
    seconds = screen.page.locator("#undo-seconds")
    expect(seconds).to_have_text(re.compile("^(60|5\\d)\u00a0s$"))  # it counts down
    screen.press("z")
    assert screen.shown == first
    screen.press("2")
    screen.expect_state("All saved")
    right = wait_for_answers(labeler, 2)[1]
    assert right.item_id == wrong.item_id
    assert Retraction.objects.get().annotation_id == wrong.pk
    assert list(Annotation.objects.standing().filter(labeler=labeler)) == [right]


def test_undo_without_a_network_takes_back_an_answer_that_was_never_sent(
    screen: Screen, labeler: User
) -> None:
    screen.wait_until_ahead(6)
    screen.page.context.set_offline(True)
    screen.press("1")  # this one is tried at once, so it may have arrived for all we know
    second = screen.shown
    screen.press("1")
    screen.press("z")
    assert screen.shown == second
    screen.press("2")
    screen.page.context.set_offline(False)
    screen.expect_state("All saved")
    stored = wait_for_answers(labeler, 2)
    assert [row.label_class.key for row in stored if row.label_class] == ["functional", "defective"]
    assert not Retraction.objects.exists()


def test_an_answer_that_is_refused_is_shown_and_holds_up_nothing(screen: Screen, labeler: User) -> None:
    Slot.objects.filter(pk=screen.shown).delete()
    screen.press("1")
    screen.press("2")
    expect(screen.page.locator("#refused-title")).to_have_text("1 answer was not taken")
    expect(screen.page.locator("#refused-list")).to_contain_text(
        "This photo is not on loan to you, or no longer: its time ran out"
    )
    assert wait_for_answers(labeler, 1)[0].label_class.key == "defective"  # type: ignore[union-attr]

    screen.page.reload()  # it stays until it was read
    expect(screen.page.locator("#refused")).to_be_visible()
    screen.page.click("#refused-dismiss")
    screen.page.reload()
    screen.wait_for_photo()
    expect(screen.page.locator("#refused")).to_be_hidden()


def test_a_skipped_photo_goes_to_others(screen: Screen, labeler: User) -> None:
    lease = screen.shown
    screen.press("s")
    screen.press("1")
    wait_for_answers(labeler, 1)
    assert Slot.objects.get(pk=lease).skipped_at is not None


def test_a_skip_is_taken_back_before_the_answer_that_came_earlier(screen: Screen, labeler: User) -> None:
    answered = screen.shown
    screen.press("1")
    skipped = screen.shown
    screen.press("s")
    screen.expect_state("All saved")
    screen.press("z")
    assert screen.shown == skipped
    screen.press("2")
    stored = wait_for_answers(labeler, 2)
    assert Slot.objects.get(pk=skipped).annotation == stored[1]
    screen.press("z")
    assert screen.shown == skipped
    screen.press("z")
    assert screen.shown == answered


def test_the_keys_do_nothing_to_photos_while_the_tour_runs(
    live_stack: object, project: Project, page_for: PageFor
) -> None:
    person = make_member(project)
    screen = Screen(page_for(person), project).open(end_tour=False)
    first = screen.shown
    for key in ("1", "s", "h", "z"):
        screen.page.keyboard.press(key)
    screen.page.wait_for_timeout(300)
    assert screen.shown == first and not answers_of(person)
    expect(screen.page.locator("[data-reasons=hold]")).to_be_hidden()
    screen.page.keyboard.press("Escape")
    expect(screen.page.locator("#tour")).to_be_hidden()
    screen.press("1")
    assert len(wait_for_answers(person, 1)) == 1


def test_the_end_of_the_queue_says_what_was_achieved(live_stack: object, page_for: PageFor) -> None:
    project = project_with_photos(2)
    labeler = make_member(project)
    page = page_for(labeler)
    screen = Screen(page, project).open()
    screen.press("1")
    page.keyboard.press("1")
    expect(page.locator("#card")).to_be_visible()
    expect(page.locator("#card-title")).to_have_text("You are through")
    expect(page.locator("#card-done")).to_contain_text("Photos answered now: 2")
    assert len(wait_for_answers(labeler, 2)) == 2


def test_a_paused_labeler_reads_why(
    live_stack: object, project: Project, labeler: User, page_for: PageFor
) -> None:
    Pause.objects.create(project=project, labeler=labeler, correct=9, asked=20, bar=0.8)
    page = page_for(labeler)
    page.goto(f"/p/{project.slug}/label")
    expect(page.locator("#card-title")).to_have_text("You are paused")
    expect(page.locator("#card-text")).to_contain_text("9 of your last 20")


def test_a_key_pressed_too_soon_is_ignored_gently(live_stack: object, page_for: PageFor) -> None:
    project = project_with_photos(6, min_view_ms=100_000)
    labeler = make_member(project)
    page = page_for(labeler)
    page.clock.install()
    screen = Screen(page, project).open()
    first = screen.shown
    page.keyboard.press("1")
    expect(page.locator("#live")).to_have_text("A moment longer, please.")
    assert screen.shown == first
    page.clock.fast_forward(100_000)
    screen.press("1")
    assert wait_for_answers(labeler, 1)[0].view_ms >= 100_000


def test_a_required_checklist_is_ticked_by_number_keys(live_stack: object, page_for: PageFor) -> None:
    project = project_with_photos(3, checklist_required=True)
    amend_guideline(
        project=project,
        by=project.created_by,
        note="points",
        checklist={"defective": ["A crack", "A sharp edge"]},
    )
    labeler = make_member(project)
    screen = Screen(page_for(labeler), project).open()
    screen.page.keyboard.press("2")
    expect(screen.page.locator("[data-ticks=defective]")).to_be_visible()
    screen.page.keyboard.press("1")
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator("#toast")).to_contain_text("Tick every point first")
    screen.page.keyboard.press("2")
    screen.press("Enter")
    assert wait_for_answers(labeler, 1)[0].checklist == ["A crack", "A sharp edge"]


def test_the_tour_is_shown_once(live_stack: object, project: Project, page_for: PageFor) -> None:
    labeler = make_member(project)
    page = page_for(labeler)
    Screen(page, project).open(end_tour=False)
    with page.expect_response("**/me/toured"):
        for _step in range(3):
            expect(page.locator("#tour")).to_be_visible()
            page.keyboard.press("Enter")
        expect(page.locator("#tour")).to_be_hidden()
    labeler.refresh_from_db()
    assert labeler.toured_at is not None
    page.reload()
    expect(page.locator("#tour")).to_have_count(0)


def test_nothing_that_the_browser_gets_tells_a_score_a_band_or_gold(screen: Screen) -> None:
    page, address = screen.page, screen.page.url
    page.goto("about:blank")  # or it might be a claim of the page before, whose content goes with it
    with page.expect_response("**/claims") as claimed:
        page.goto(address)
    assert set(claimed.value.json()["tasks"][0]) == {"lease", "photo", "expires_at", "note", "sent_back"}
    assert set(claimed.value.json()["tasks"][0]["photo"]) == {
        "sha256",
        "screen",
        "thumb",
        "width",
        "height",
        "tiles",
    }
    html = page.content().lower()
    assert not [word for word in ("score", "confidence", "gold", "audit", "ladder", "draw") if word in html]


class Scale:
    """What a page loads beside its photos; ``bytes()`` on the wire, when it has come to rest."""

    def __init__(self, page: Page) -> None:
        self.loaded: dict[str, Request] = {}
        page.on("requestfinished", self._note)

    def _note(self, request: Request) -> None:
        if not any(part in request.url for part in ("/photos/", "/events", "blob:")):
            self.loaded[request.url] = request

    def bytes(self) -> int:
        """Static files are served compressed; the server of the tests does not."""
        total = 0
        for url, request in self.loaded.items():
            response = request.response()
            assert response is not None
            body = response.body()
            total += len(gzip.compress(body)) if "/static/" in url else len(body)
        return total


def test_the_page_weighs_100_kb_or_less_without_photos(
    live_stack: object, project: Project, labeler: User, page_for: PageFor
) -> None:
    page = page_for(labeler)
    scale = Scale(page)
    Screen(page, project).open()
    page.wait_for_load_state("networkidle")
    assert any(url.endswith("label.css") for url in scale.loaded)
    assert 10_000 < scale.bytes() <= 100_000


def test_a_phone_labels_by_touch(
    live_stack: object, project: Project, labeler: User, page_for: PageFor
) -> None:
    page = page_for(labeler, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    screen = Screen(page, project).open()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    before = screen.shown
    page.tap("[data-answer=defective]")
    screen.wait_for_photo(other_than=before)
    assert wait_for_answers(labeler, 1)[0].label_class.key == "defective"  # type: ignore[union-attr]


def test_the_screen_measures_how_long_the_next_photo_takes(screen: Screen) -> None:
    screen.wait_until_ahead(6)
    began = time.monotonic()
    screen.press("1")
    screen.press("2")
    times = screen.page.evaluate("hilltop.answers")
    assert len(times) == 2
    assert all(ms > 0 for ms in times) and sum(times) <= 1000 * (time.monotonic() - began)
    assert screen.page.evaluate("hilltop.lastAnswerMs") == times[-1]
