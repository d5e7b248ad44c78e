"""Sweeping a grid in a real browser, on the real server: by keyboard alone, with a missed check photo, without a network."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from labeling.catalog.guidelines import amend_guideline
from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Item, Project
from labeling.people.models import User
from labeling.queue.models import Slot, Sweep, SweepHandIn, SweepPhoto
from labeling.truth.models import Annotation, Draw, Pause, SweepCheck
from tests.browser.routing import take_over
from tests.browser.test_labeling_screen import Scale
from tests.factories import make_member, photo_bytes
from tests.queue.sweeps import Field, kept_field

PageFor = Callable[..., Page]


def with_bytes(project: Project, count: int, *, seed: int = 0) -> list[Item]:
    images = [
        (add_image(data=photo_bytes(seed + n, size=(240, 240)))[0], f"{seed + n}.png") for n in range(count)
    ]
    return list(add_items(project=project, images=images, source="test"))


class Screen:
    """The sweep's page as a person sees it; where the planted photos are, the test looks up in the database."""

    def __init__(self, page: Page, field: Field) -> None:
        self.page = page
        self.field = field

    def open(self) -> Screen:
        self.page.goto(f"/p/{self.field.project.slug}/sweep")
        return self.wait_for_grid()

    def wait_for_grid(self, *, other_than: str = "") -> Screen:
        self.page.wait_for_selector(f'html[data-shown]:not([data-shown="{other_than}"])', state="attached")
        return self

    @property
    def shown(self) -> str:
        return str(self.page.evaluate("document.documentElement.dataset.shown"))

    @property
    def cells(self) -> list[str]:
        found = self.page.locator("[role=gridcell]")
        return [str(found.nth(n).get_attribute("data-id")) for n in range(found.count())]

    @property
    def planted(self) -> list[str]:
        rows = SweepPhoto.objects.filter(sweep_id=UUID(self.shown), known__isnull=False)
        return [str(pk) for pk in rows.values_list("pk", flat=True)]

    def go_to(self, cell: str) -> None:
        """By arrow keys, from wherever the focus is."""
        at = self.cells.index(cell)
        self.page.keyboard.press("Home")
        for _ in range(at):
            self.page.keyboard.press("ArrowRight")
        expect(self.page.locator(f'[data-id="{cell}"]')).to_be_focused()

    def mark(self, *cells: str, key: str = "Space") -> None:
        for cell in cells:
            self.go_to(cell)
            self.page.keyboard.press(key)
            expect(self.page.locator(f'[data-id="{cell}"]')).to_have_attribute("aria-selected", "true")

    def others(self, count: int) -> list[str]:
        planted = self.planted
        return [cell for cell in self.cells if cell not in planted][:count]


@pytest.fixture
def field(transactional_db: None) -> Field:
    return kept_field(with_bytes, photos=45)


@pytest.fixture
def screen(live_stack: object, field: Field, page_for: PageFor) -> Screen:
    return Screen(page_for(field.ann), field).open()


def wait_for_hand_ins(labeler: User, count: int, seconds: float = 60) -> list[SweepHandIn]:
    deadline = time.monotonic() + seconds
    while (found := list(SweepHandIn.objects.filter(labeler=labeler).order_by("id"))) is not None:
        if len(found) >= count or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    assert len(found) == count
    return found


def test_a_grid_is_swept_by_keyboard_alone(screen: Screen, field: Field) -> None:
    page, first = screen.page, screen.shown
    expect(page.locator("#ask")).to_contain_text("All of these look like Functional")
    held, odd, other = screen.others(3)
    screen.mark(*screen.planted, odd)
    screen.mark(other, key="2")
    screen.go_to(held)
    page.keyboard.press("h")
    page.keyboard.press("1")
    expect(page.locator(f'[data-id="{held}"]')).to_contain_text("Hold: Between two classes")
    expect(page.locator(f'[data-id="{other}"]')).to_contain_text("Defective")
    expect(page.locator(f'[data-id="{odd}"]')).to_contain_text("not Functional")
    page.keyboard.press("Enter")
    screen.wait_for_grid(other_than=first)

    (stored,) = wait_for_hand_ins(field.ann, 1)
    assert stored.counts
    photos = SweepPhoto.objects.filter(sweep_id=UUID(first), known__isnull=True)
    answers = {each.item_id: each for each in Annotation.objects.filter(labeler=field.ann)}
    by_cell = {str(photo.pk): photo for photo in photos}
    assert {each.draw for each in answers.values()} == {Draw.SWEEP}
    assert set(answers) == {photo.item_id for photo in photos} - {by_cell[odd].item_id}
    assert (answers[by_cell[held].item_id].kind, answers[by_cell[held].item_id].reason) == ("hold", "between")
    said = {item: each.label_class.key for item, each in answers.items() if each.label_class}
    assert {item for item, key in said.items() if key == "defective"} == {by_cell[other].item_id}
    assert SweepPhoto.objects.get(pk=odd).apart
    expect(page.locator("[role=gridcell]").first).to_be_focused()


def test_marking_by_mouse_and_taking_a_mark_off_again(screen: Screen) -> None:
    cell = screen.page.locator(f'[data-id="{screen.others(1)[0]}"]')
    cell.click()
    expect(cell).to_have_attribute("aria-selected", "true")
    expect(screen.page.locator("#hand-in-text")).to_have_text("Hand in, 1 marked")
    cell.click()
    expect(cell).to_have_attribute("aria-selected", "false")
    expect(screen.page.locator("#hand-in-text")).to_have_text("Hand in")


def test_a_missed_check_photo_is_told_and_the_grid_does_not_count(screen: Screen, field: Field) -> None:
    page, first = screen.page, screen.shown
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_have_text("This grid does not count")
    expect(page.locator("#missed")).to_contain_text("known to be")
    expect(page.locator("#missed img").first).to_be_visible()
    assert not Annotation.objects.filter(labeler=field.ann).exists()
    assert not Slot.objects.filter(holder=field.ann).exists()
    assert set(SweepCheck.objects.filter(labeler=field.ann).values_list("found", flat=True)) == {False}
    expect(page.locator("#undo")).to_be_disabled()
    page.keyboard.press("Enter")
    screen.wait_for_grid(other_than=first)
    expect(page.locator("#card")).to_be_hidden()


def test_a_grid_handed_in_without_a_network_arrives_later_even_after_a_reload(
    screen: Screen, field: Field
) -> None:
    page, first = screen.page, screen.shown
    screen.mark(*screen.planted)
    take_over(page, "**/hand-in", lambda route: route.abort())
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_have_text("Your grid is kept in this browser")
    expect(page.locator("#state-text")).to_contain_text("1 answer is waiting")
    assert not SweepHandIn.objects.exists()
    page.unroute("**/hand-in")
    page.reload()
    screen.wait_for_grid(other_than=first)
    (stored,) = wait_for_hand_ins(field.ann, 1)
    assert (str(stored.sweep_id), stored.counts) == (first, True)
    # The page that took it was made before: this browser knows it all the same, and takes it back.
    page.keyboard.press("z")
    page.wait_for_selector(f'html[data-shown="{first}"]', state="attached")
    expect(page.locator("[role=gridcell][aria-selected=true]")).to_have_count(len(screen.planted))
    assert not Annotation.objects.standing().filter(labeler=field.ann).exists()


def test_going_offline_and_back_loses_nothing(screen: Screen, field: Field) -> None:
    page, first = screen.page, screen.shown
    screen.mark(*screen.planted)
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_have_text("Your grid is kept in this browser")
    page.context.set_offline(False)
    screen.wait_for_grid(other_than=first)
    assert wait_for_hand_ins(field.ann, 1)[0].counts


def test_a_grid_waits_for_its_person_while_another_is_signed_in(
    screen: Screen, field: Field, sign_in: Callable[[BrowserContext, User], None]
) -> None:
    page, first = screen.page, screen.shown
    screen.mark(*screen.planted)
    sign_in(page.context, make_member(field.project, username="bea"))
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_have_text("Somebody else is signed in here now")
    expect(page.locator("#card-text")).to_contain_text("bea")
    assert not SweepHandIn.objects.exists()
    sign_in(page.context, field.ann)
    page.keyboard.press("Enter")
    screen.wait_for_grid(other_than=first)
    assert wait_for_hand_ins(field.ann, 1)[0].counts


def test_a_hand_in_whose_confirmation_got_lost_counts_once(screen: Screen, field: Field) -> None:
    page, first = screen.page, screen.shown
    lost: list[object] = []
    screen.mark(*screen.planted)

    def lose(route: object) -> None:
        if not lost:
            lost.append(route.fetch())  # type: ignore[attr-defined]
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    take_over(page, "**/hand-in", lose)
    page.keyboard.press("Enter")
    screen.wait_for_grid(other_than=first)
    wait_for_hand_ins(field.ann, 1)
    assert lost
    real = SweepPhoto.objects.filter(sweep_id=UUID(first), known__isnull=True).count()
    assert Annotation.objects.filter(labeler=field.ann).count() == real


@pytest.mark.parametrize("reload", [False, True])
def test_a_grid_is_taken_back_with_its_marks(screen: Screen, field: Field, reload: bool) -> None:
    page, first = screen.page, screen.shown
    (odd,) = screen.others(1)
    screen.mark(*screen.planted, odd)
    page.keyboard.press("Enter")
    screen.wait_for_grid(other_than=first)
    if reload:
        page.reload()
        screen.wait_for_grid()
        expect(page.locator("#undo")).to_be_enabled()
    page.keyboard.press("z")
    page.wait_for_selector(f'html[data-shown="{first}"]', state="attached")
    expect(page.locator(f'[data-id="{odd}"]')).to_have_attribute("aria-selected", "true")
    assert not Annotation.objects.standing().filter(labeler=field.ann).exists()
    assert Sweep.objects.get(labeler=field.ann, closed_at__isnull=True).pk.hex == first.replace("-", "")


def test_between_two_grids_the_page_takes_the_new_guideline(screen: Screen, field: Field) -> None:
    page, first = screen.page, screen.shown
    amend_guideline(
        project=field.project,
        by=field.project.created_by,
        note="Stricter",
        criteria={"functional": "Not even a scratch."},
    )
    screen.mark(*screen.planted)
    page.keyboard.press("Enter")
    screen.wait_for_grid(other_than=first)
    expect(page.locator("#criteria")).to_contain_text("Not even a scratch.")
    screen.mark(*screen.planted)
    page.keyboard.press("Enter")
    wait_for_hand_ins(field.ann, 2)
    answers = Annotation.objects.filter(labeler=field.ann).order_by("id")
    assert [each.guideline.number for each in answers] == sorted(each.guideline.number for each in answers)
    assert {each.guideline.number for each in answers} == {1, 2}


def test_the_grid_is_one_to_a_screen_reader(screen: Screen) -> None:
    page = screen.page
    expect(page.get_by_role("grid", name="All of these look like")).to_be_visible()
    assert page.locator("[role=gridcell][tabindex='0']").count() == 1
    assert page.locator("[role=row]").count() >= 2
    first = page.locator("[role=gridcell]").first
    expect(first).to_have_attribute("aria-label", f"Photo 1 of {len(screen.cells)}")
    first.focus()
    page.keyboard.press("Space")
    expect(first).to_have_attribute("aria-label", f"Photo 1 of {len(screen.cells)}, marked: not Functional")
    expect(page.locator("#live")).to_have_text("Marked: not Functional")
    page.keyboard.press("ArrowDown")
    assert page.locator("[role=gridcell]").first.get_attribute("tabindex") == "-1"


def test_a_photo_can_be_looked_at_closely(screen: Screen) -> None:
    page = screen.page
    page.locator("[role=gridcell]").first.focus()
    page.keyboard.press("+")
    expect(page.locator("#closer img")).to_be_visible()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(page.locator("#closer")).to_be_hidden()
    expect(page.locator("[role=gridcell]").first).to_have_attribute("aria-selected", "true")


def test_where_no_sweep_is_possible_the_page_says_why(field: Field, page_for: PageFor) -> None:
    page = page_for(field.ann)
    Project.objects.filter(pk=field.project.pk).update(sweep_allowed=False)
    page.goto(f"/p/{field.project.slug}/sweep")
    expect(page.locator("#card-text")).to_contain_text("does not allow sweeps")
    Project.objects.filter(pk=field.project.pk).update(sweep_allowed=True)
    Pause.objects.create(project=field.project, labeler=field.ann, correct=1, asked=5, bar=0.8)
    page.reload()
    expect(page.locator("#card-title")).to_have_text("You are paused")


def test_the_page_weighs_little_without_its_photos(
    field: Field, page_for: PageFor, live_stack: object
) -> None:
    page = page_for(field.ann)
    scale = Scale(page)
    Screen(page, field).open()
    page.wait_for_load_state("networkidle")
    assert 10_000 < scale.bytes() < 100_000


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_never_wider_than_its_window(field: Field, page_for: PageFor, width: int) -> None:
    page = page_for(field.ann, viewport={"width": width, "height": 740})
    Screen(page, field).open()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for cell in page.locator("[role=gridcell]").all():
        box = cell.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
    bar = page.locator("#hand-in").bounding_box()
    assert bar is not None and bar["y"] + bar["height"] <= 740


def test_a_reviewer_answers_what_a_search_found_in_grids(
    live_stack: object, field: Field, page_for: PageFor
) -> None:
    page = page_for(make_member(field.project, "reviewer"))
    page.goto(f"/p/{field.project.slug}/photos?status=open")
    page.get_by_text("With all that are found").click()
    page.get_by_label("All of them look like").select_option("Functional")
    page.get_by_role("button", name="Answer them in grids").click()
    screen = Screen(page, field).wait_for_grid()
    first = screen.shown
    sweep = Sweep.objects.get(pk=UUID(first))
    assert (sweep.over, sweep.label_class.key) == ("status=open", "functional")
    predicted = {slot.context["ladder"] for slot in Slot.objects.filter(holder=sweep.labeler)}
    assert len(predicted) == 2, "it is the reviewer who says what they are, not the model"
    screen.mark(*screen.planted)
    page.keyboard.press("Enter")
    screen.wait_for_grid(other_than=first)
    second = Sweep.objects.get(pk=UUID(screen.shown))
    assert second.over == "status=open"
    assert set(Annotation.objects.values_list("draw", flat=True)) == {Draw.SWEEP}
    page.keyboard.press("z")
    screen.wait_for_grid(other_than=str(second.pk))
    assert screen.shown == first
