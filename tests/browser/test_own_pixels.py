"""Zooming in shows the photo's own pixels and one-pixel scratches, wherever a photo is zoomed; and light that helps."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from functools import cache
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image as Pillow
from playwright.sync_api import Locator, Page, expect

from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Item, Project
from labeling.people.models import User
from labeling.truth.services import Answer, Viewing, record_answer
from tests.factories import make_member, make_project
from tests.queue.sweeps import make_field

PageFor = Callable[..., Page]
WIDTH, HEIGHT = 4000, 3000
#: A scratch of one pixel's width and thirty pixels' height: its column, and the row of its middle.
AT = (2345, 1234)
METAL, SCRATCH = (40, 60, 80), (250, 240, 230)


@cache
def scratched(seed: int = 0) -> bytes:
    pixels = np.full((HEIGHT, WIDTH, 3), METAL, dtype=np.uint8)
    pixels[AT[1] - 15 : AT[1] + 15, AT[0]] = SCRATCH
    pixels[0, :4] = seed  # another photo
    return png(pixels)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def items_of(project: Project, *photos: bytes) -> list[Item]:
    images = [(add_image(data=data)[0], f"{n}.png") for n, data in enumerate(photos)]
    return add_items(project=project, images=images, source="test")


def seen_in(page: Page, x: float, y: float, around: int = 12) -> np.ndarray:
    """(2a + 1, 2a + 1, 3) what the screen shows around a point, rows first."""
    clip = {"x": x - around, "y": y - around, "width": 2 * around + 1, "height": 2 * around + 1}
    return np.asarray(Pillow.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))  # type: ignore[arg-type]


def place_of_the_scratch(picture: Locator) -> tuple[float, float, float]:
    """Where on the page it lies, by the screen-sized picture that is fitted into its element; and a pixel's size there."""
    box = picture.bounding_box()
    assert box is not None
    fit = min(box["width"] / WIDTH, box["height"] / HEIGHT)
    x = box["x"] + (box["width"] - WIDTH * fit) / 2 + (AT[0] + 0.5) * fit
    y = box["y"] + (box["height"] - HEIGHT * fit) / 2 + AT[1] * fit
    return x, y, fit


def assert_the_scratch_is_seen(page: Page, stage: Locator) -> None:
    picture = stage.locator("img:not(.lb-detail img)")
    x, y, fit = place_of_the_scratch(picture)
    page.mouse.move(x, y)
    for _turn in range(24):
        page.mouse.wheel(0, -240)
    nearest = round(100 * 8 / fit)  # one of the photo's pixels is eight of the page's
    expect(page.locator("[data-lens]:visible")).to_contain_text(f"{nearest} %")
    expect(stage.locator(".lb-detail[data-state=whole]")).to_be_attached()
    x, y, size = place_of_the_scratch(picture)
    assert size == pytest.approx(8, abs=0.01)
    deadline = time.monotonic() + 60
    while True:  # painted some frames after it stands there
        shown = seen_in(page, round(x - 0.5), round(y - 0.5))
        # Not paled by its neighbours, and in its place.
        if np.abs(shown[12, 12].astype(int) - SCRATCH).max() <= 16:
            break
        assert time.monotonic() < deadline
    bright = (shown[12].astype(int).sum(axis=1) > 400).sum()
    assert 7 <= bright <= 10  # as wide as one pixel is now
    for side in (0, -1):
        assert np.abs(shown[12, side].astype(int) - METAL).max() <= 1


def dispute(project: Project, item: Item) -> None:
    for key in ("functional", "defective"):
        record_answer(
            project=project,
            labeler=make_member(project),
            key=uuid4(),
            answer=Answer("class", key),
            viewing=Viewing(item_id=item.pk, round=1, draw="rank", context={}, view_ms=1500),
        )


@pytest.fixture
def project(live_stack: object) -> Project:
    return make_project()


def labeler_of(project: Project) -> User:
    user = make_member(project)
    User.objects.filter(pk=user.pk).update(toured_at=project.created_at)
    return user


def open_label(page: Page, project: Project) -> None:
    page.goto(f"/p/{project.slug}/label")
    page.wait_for_selector("html[data-shown]", state="attached")


def test_a_scratch_of_one_pixel_is_seen_while_labeling(project: Project, page_for: PageFor) -> None:
    items_of(project, scratched())
    page = page_for(labeler_of(project))
    open_label(page, project)
    assert not page.locator(".lb-detail img").count()  # nothing is loaded that nobody looks at
    assert_the_scratch_is_seen(page, page.locator("#main"))
    expect(page.locator("[data-lens]")).to_contain_text("The photo's own pixels")
    page.keyboard.press("0")
    expect(page.locator(".lb-detail img")).to_have_count(0)


def test_a_scratch_of_one_pixel_is_seen_in_review(project: Project, page_for: PageFor) -> None:
    (item,) = items_of(project, scratched())
    dispute(project, item)
    page = page_for(make_member(project, "reviewer"))
    page.goto(f"/p/{project.slug}/review")
    frame = page.locator("[data-stage]")
    expect(frame.locator("img").first).to_be_visible()
    assert_the_scratch_is_seen(page, frame)
    expect(page.locator("[data-lens]")).to_contain_text("The photo's own pixels")


def plain(seed: int) -> bytes:
    small = np.full((40, 40, 3), METAL, dtype=np.uint8)
    small[0, 0] = (seed % 256, seed // 256, 1)
    return png(small)


def open_sweep(page: Page, project: Project) -> None:
    page.goto(f"/p/{project.slug}/sweep")
    page.wait_for_selector("html[data-shown]", state="attached")


def test_a_scratch_of_one_pixel_is_seen_in_a_sweep(live_stack: object, page_for: PageFor) -> None:
    def make(project: Project, count: int, *, seed: int = 0) -> list[Item]:
        photos = [scratched() if n == 0 and not seed else plain(seed + n) for n in range(count)]
        return items_of(project, *photos)

    field = make_field(make, photos=45)
    page = page_for(field.ann)
    open_sweep(page, field.project)
    page.locator(f"[role=gridcell]:has(img[src*='{field.items[0].image.sha256}'])").dblclick()
    closer = page.locator("#closer")
    expect(closer.locator("img")).to_be_visible()
    assert_the_scratch_is_seen(page, closer)
    page.keyboard.press("Escape")
    expect(closer).to_be_hidden()


# --- brightness -----------------------------------------------------------------------------------------------------

DARK, LESS_DARK = 12, 52  # of 255, half of the photo each


def dark(seed: int = 0, *, by: int = 1) -> bytes:
    pixels = np.full((240, 320, 3), DARK * by, dtype=np.uint8)
    pixels[:, 160:] = LESS_DARK * by
    pixels[0, 0] = (seed % 256, seed // 256, 1)
    return png(pixels)


def halves(page: Page, photo: Locator) -> tuple[int, int]:
    """How light the left and the right half of a photo are seen."""
    box = photo.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    left, right = (seen_in(page, box["x"] + share * box["width"], y, 2) for share in (0.4, 0.6))
    return int(left.mean()), int(right.mean())


def seen_at_last(page: Page, photo: Locator, right: Callable[[int, int], bool]) -> tuple[int, int]:
    """The halves, as soon as they are right: a picture is painted some frames after its element stands there."""
    deadline = time.monotonic() + 60
    while not right(*(seen := halves(page, photo))) and time.monotonic() < deadline:
        pass
    return seen


def assert_as_it_is(page: Page, photo: Locator) -> None:
    lights = [(by * DARK, by * LESS_DARK) for by in (1, 2, 3)]
    assert seen_at_last(page, photo, lambda *seen: seen in lights) in lights


def assert_levelled(page: Page, photo: Locator) -> None:
    left, right = seen_at_last(page, photo, lambda left, right: left <= 4 and right >= 250)
    assert left <= 4 and right >= 250


def test_one_key_levels_a_dark_photo_and_the_next_by_its_own_light(
    project: Project, page_for: PageFor
) -> None:
    items_of(project, dark(), dark(1, by=2), dark(2, by=3))
    page = page_for(labeler_of(project))
    open_label(page, project)
    photo = page.locator("#photos img.on")
    assert_as_it_is(page, photo)
    page.keyboard.press("l")
    expect(page.locator("[data-lens]")).to_have_text("Levelled")
    assert_levelled(page, photo)
    before = page.evaluate("document.documentElement.dataset.shown")
    page.keyboard.press("1")
    page.wait_for_selector(f'html[data-shown]:not([data-shown="{before}"])', state="attached")
    assert_levelled(page, photo)
    page.keyboard.press("l")
    expect(page.locator("[data-lens]")).to_be_hidden()
    assert_as_it_is(page, photo)


def test_that_each_photo_starts_as_it_is_is_the_persons_setting(project: Project, page_for: PageFor) -> None:
    items_of(project, dark(), dark(1, by=2), dark(2, by=3))
    ann = labeler_of(project)
    page = page_for(ann)
    open_label(page, project)
    page.get_by_role("button", name="Brightness").click()
    with page.expect_response("**/me/brightness") as kept:
        page.get_by_label("Show each new photo as it is").check()
    assert kept.value.status == 204
    page.keyboard.press("Escape")
    page.reload()  # it is the person's, not the page's
    page.wait_for_selector("html[data-shown]", state="attached")
    page.keyboard.press("l")
    expect(page.locator("[data-lens]")).to_have_text("Levelled")
    before = page.evaluate("document.documentElement.dataset.shown")
    page.keyboard.press("1")
    page.wait_for_selector(f'html[data-shown]:not([data-shown="{before}"])', state="attached")
    expect(page.locator("[data-lens]")).to_be_hidden()
    assert_as_it_is(page, page.locator("#photos img.on"))
    ann.refresh_from_db()
    assert ann.brightness_reset


def test_a_sweep_levels_each_photo_of_the_grid_and_a_closer_look(
    live_stack: object, page_for: PageFor
) -> None:
    def make(project: Project, count: int, *, seed: int = 0) -> list[Item]:
        return items_of(project, *(dark(seed + n, by=1 + n % 3) for n in range(count)))

    field = make_field(make, photos=45)
    page = page_for(field.ann)
    open_sweep(page, field.project)
    page.keyboard.press("l")
    for cell in page.locator("[role=gridcell] img").all()[:3]:
        assert_levelled(page, cell)
    page.keyboard.press("+")
    assert_levelled(page, page.locator("#closer img"))
    page.keyboard.press("0")
    assert_as_it_is(page, page.locator("#closer img"))


def test_review_levels_the_photo_in_dispute(project: Project, page_for: PageFor) -> None:
    (item,) = items_of(project, dark())
    dispute(project, item)
    page = page_for(make_member(project, "reviewer"))
    page.goto(f"/p/{project.slug}/review")
    photo = page.locator("[data-stage] img").first
    expect(photo).to_be_visible()
    assert_as_it_is(page, photo)
    page.keyboard.press("l")
    assert_levelled(page, photo)
    page.get_by_text("Brightness", exact=False).first.click()
    expect(page.locator("[data-level]")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-as-it-is]").click()
    assert_as_it_is(page, photo)
