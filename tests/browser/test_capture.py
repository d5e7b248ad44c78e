"""A phone at the car: Chromium's fake camera shows a film of made-up pictures, on an emulated phone."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image as PillowImage
from PIL import ImageFilter
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from labeling.catalog import photos
from labeling.gateway.bodies import SMALL
from labeling.inspections.capture.links import prolong_link, token_of
from labeling.inspections.models import CaptureLink, InspectionPhoto
from tests.browser import axe
from tests.browser.conftest import PATIENCE, SWITCHED_OFF, chromium_path
from tests.browser.test_phones import PHONE
from tests.inspections.capturing import make, make_protocol
from tests.stack import Stack

#: Pictures of the film, each for ten frames of thirty a second. In its corner each says its number by its brightness.
PICTURES, FRAMES = 24, 10
SIZE = (640, 480)
CORNER = 80


def picture(number: int, *, sharp: bool = True) -> PillowImage.Image:
    """Patches of grey, so that no two pictures are alike, with fine noise over them."""
    rng = np.random.default_rng(number)
    patches = PillowImage.fromarray(rng.integers(60, 200, (6, 8), dtype=np.uint8)).resize(SIZE)
    grey = np.asarray(patches, np.int16) + rng.integers(-30, 30, SIZE[::-1])
    image = PillowImage.fromarray(grey.clip(0, 255).astype(np.uint8))
    if not sharp:
        image = image.filter(ImageFilter.GaussianBlur(8))
    image.paste(40 + 8 * number, (0, 0, CORNER, CORNER))
    return image


def film(path: Path, *, sharp: bool) -> None:
    """Motion JPEG."""
    frames = []
    for number in range(PICTURES):
        out = io.BytesIO()
        picture(number, sharp=sharp).convert("RGB").save(out, "JPEG", quality=85)
        frames.append(out.getvalue() * FRAMES)
    path.write_bytes(b"".join(frames))


#: The number of the picture that the camera shows.
NUMBER = f"""() => {{
    const video = document.getElementById("video");
    const canvas = Object.assign(document.createElement("canvas"), {{ width: 1, height: 1 }});
    const context = canvas.getContext("2d");
    context.drawImage(video, {CORNER // 4}, {CORNER // 4}, {CORNER // 2}, {CORNER // 2}, 0, 0, 1, 1);
    return Math.round((context.getImageData(0, 0, 1, 1).data[0] - 40) / 8);
}}"""


class Phone:
    """A page with a camera. No two photos are of one picture, nor of its neighbours in the film."""

    def __init__(self, context: BrowserContext, errors: list[str]) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: errors.append(str(error)))
        self._used: list[int] = []

    def open(self, link: CaptureLink) -> None:
        self.page.goto(f"/capture/{token_of(link)}/")
        self.page.wait_for_selector("html[data-ready]")

    def begin(self) -> None:
        self.page.get_by_role("button", name="Start the camera").click()
        expect(self.page.locator("#video")).to_be_visible()

    def shoot(self, name: str) -> None:
        expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        shutter = self.page.get_by_role("button", name=f"Photograph “{name}”")
        expect(shutter).to_be_visible()
        used = json.dumps(self._used)
        self.page.wait_for_function(
            f"() => {{ const n = ({NUMBER})(); return n >= 0 && {used}.every((each) => Math.abs(n - each) > 1); }}"
        )
        self._used.append(self.page.evaluate(NUMBER))
        shutter.click()

    def shot(self, name: str) -> Any:
        return self.page.locator(f".cp-shot[aria-label^='{name}:']")


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera shows; ``film`` puts something else there, which it shows when it is opened again."""
    return tmp_path_factory.mktemp("camera") / "film.mjpeg"


@pytest.fixture(scope="module")
def cameras(chromium: Browser, reel: Path) -> Iterator[Browser]:
    """The browser of the other tests has no camera: that is said when one is started."""
    film(reel, sharp=True)
    browser = chromium.browser_type.launch(
        executable_path=chromium_path(),
        args=[
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            f"--disable-features={','.join(SWITCHED_OFF)}",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={reel}",
        ],
    )
    yield browser
    browser.close()


@pytest.fixture
def phone(cameras: Browser, live_stack: Stack, reel: Path) -> Iterator[Callable[..., Phone]]:
    """``phone(camera=True, **options)``: whether the person allows the camera."""
    film(reel, sharp=True)
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def make_phone(*, camera: bool = True, **options: Any) -> Phone:
        context = cameras.new_context(base_url=live_stack.url, **PHONE, **options)
        context.set_default_timeout(PATIENCE)
        if camera:
            context.grant_permissions(["camera"])
        opened.append(context)
        return Phone(context, errors)

    yield make_phone
    for context in opened:
        context.close()
    assert not errors, "script errors on a page: " + "; ".join(errors)


@pytest.fixture
def link(live_stack: Stack) -> CaptureLink:
    return make(make_protocol())


def taken() -> list[str]:
    rows = InspectionPhoto.objects.filter(faults=[]).select_related("shot").order_by("pk")
    return [row.shot.key for row in rows]


def test_a_blurred_photo_is_refused_before_it_is_sent_and_two_good_ones_are_handed_in(
    phone: Callable[..., Phone], link: CaptureLink, reel: Path
) -> None:
    film(reel, sharp=False)
    ann = phone()
    ann.open(link)
    ann.begin()
    ann.shoot("Front")
    card = ann.page.locator(".cp-card")
    expect(card).to_contain_text("Once more: Front")
    expect(card).to_contain_text("blurred")
    expect(card).to_contain_text("Step back until both wheels are inside.")
    expect(ann.page.locator("#live")).to_contain_text("blurred")
    assert not InspectionPhoto.objects.exists()

    film(reel, sharp=True)
    ann.open(link)  # the camera is opened again
    ann.begin()
    ann.shoot("Front")
    ann.shoot("Rear")  # it came by itself
    expect(card).to_contain_text("All photos are there")
    ann.page.get_by_role("button", name="Hand in").click()
    expect(card).to_contain_text("everything has arrived")
    assert taken() == ["front", "rear"]
    link.refresh_from_db()
    assert link.inspection and link.inspection.submitted_at
    ann.open(link)
    expect(card).to_contain_text("everything has arrived")


def test_what_the_server_refuses_is_said_at_once_and_is_not_handed_in(
    phone: Callable[..., Phone], link: CaptureLink, reel: Path
) -> None:
    """On a page that was changed so that it finds every photo good."""

    def lenient(route: Route) -> None:
        answer = route.fetch()
        assert '"min_sharpness": 50.0' in answer.text()
        route.fulfill(
            response=answer, body=answer.text().replace('"min_sharpness": 50.0', '"min_sharpness": 0')
        )

    film(reel, sharp=False)
    ann = phone()
    ann.page.route("**/capture/*/", lenient)
    ann.open(link)
    ann.begin()
    ann.context.set_offline(True)
    ann.shoot("Front")
    ann.shoot("Rear")
    ann.page.get_by_role("button", name="Hand in").click()
    card = ann.page.locator(".cp-card")
    expect(card).to_contain_text("kept on this phone")
    ann.context.set_offline(False)
    expect(ann.shot("Front")).to_have_attribute("data-state", "refused")
    expect(ann.shot("Rear")).to_have_attribute("data-state", "refused")
    expect(card).to_contain_text("Once more: Rear")
    expect(card).to_contain_text("blurred")
    link.refresh_from_db()
    assert link.inspection and link.inspection.submitted_at is None and taken() == []


def test_photos_wait_without_a_network_and_outlast_a_reload(
    phone: Callable[..., Phone], link: CaptureLink
) -> None:
    ann = phone()
    ann.open(link)
    ann.begin()
    ann.context.set_offline(True)
    ann.shoot("Front")
    expect(ann.page.locator("#state")).to_have_attribute("data-state", "offline")
    expect(ann.shot("Front")).to_have_attribute("data-state", "waiting")
    assert taken() == []
    # The page comes back before the photo can be sent.
    ann.context.set_offline(False)
    ann.page.route("**/api/v1/capture/*/photos", lambda route: route.abort())
    ann.open(link)
    expect(ann.page.locator(".cp-card")).to_contain_text("Go on where you stopped")
    expect(ann.shot("Front")).to_have_attribute("data-state", "waiting")
    ann.page.unroute("**/api/v1/capture/*/photos")
    ann.begin()
    ann.shoot("Rear")
    expect(ann.shot("Front")).to_have_attribute("data-state", "accepted")
    expect(ann.shot("Rear")).to_have_attribute("data-state", "accepted")
    assert taken() == ["front", "rear"]


def large() -> bytes:
    """As a phone's own camera makes them: more than any address takes of just anybody."""
    out = io.BytesIO()
    picture(1).resize((2400, 1800), PillowImage.Resampling.NEAREST).convert("RGB").save(
        out, "JPEG", quality=98
    )
    assert out.tell() > SMALL
    return out.getvalue()


def test_without_leave_to_use_the_camera_the_phones_own_is_offered(
    phone: Callable[..., Phone], link: CaptureLink
) -> None:
    ann = phone(camera=False, locale="ko-KR")
    ann.open(link)
    ann.page.get_by_role("button", name="카메라 켜기").click()
    expect(ann.page.locator(".cp-card")).to_contain_text("카메라 사용이 허용되지 않았습니다")
    ann.page.locator("#file").set_input_files(
        {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": large()}
    )
    expect(ann.shot("Front")).to_have_attribute("data-state", "accepted")
    assert taken() == ["front"]


def test_a_link_that_expires_keeps_what_waits_until_it_is_prolonged(
    phone: Callable[..., Phone], link: CaptureLink
) -> None:
    ann = phone()
    ann.open(link)
    ann.begin()
    CaptureLink.objects.filter(pk=link.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    ann.shoot("Front")
    card = ann.page.locator(".cp-card")
    expect(card).to_contain_text("has expired")
    expect(card).to_contain_text("still on this phone: 1")
    ann.open(link)
    expect(card).to_contain_text("still on this phone: 1")
    answer = ann.page.request.post(
        f"/api/v1/capture/{token_of(link)}/photos",
        multipart={"photo": {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": large()}},
    )
    assert answer.status == 410 and answer.json()["error"]["code"] == "link_expired"
    prolong_link(link=link, by=link.created_by, expires_at=timezone.now() + timedelta(hours=1))
    ann.page.get_by_role("button", name="Look again").click()
    expect(ann.shot("Front")).to_have_attribute("data-state", "accepted")
    assert taken() == ["front"]


def test_every_control_is_large_enough_for_gloves_and_named(
    phone: Callable[..., Phone], link: CaptureLink
) -> None:
    ann = phone()
    ann.open(link)

    def sizes() -> list[tuple[str, float]]:
        return [
            (str(each.get_attribute("id") or each.inner_text()), min(box["width"], box["height"]))
            for each in ann.page.locator("button:visible, label:visible").all()
            if (box := each.bounding_box())
        ]

    for step in (lambda: None, ann.begin, ann.page.get_by_role("button", name="Finish").click):
        step()
        found = sizes()
        assert len(found) >= 2 and [each for each in found if each[1] < 64] == []
        assert ann.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert axe.faults(ann.page) == []


MEASURED = """async ([bytes, longest]) => {
    const page = document.querySelector("script[src*='capture.js']").src;
    const { measure } = await import(page.replace("capture.js", "quality.js"));
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/jpeg" }));
    const { width, height } = bitmap;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    return measure(canvas, longest);
}"""


def test_the_browser_measures_as_the_server_does(phone: Callable[..., Phone], link: CaptureLink) -> None:
    ann = phone()
    ann.open(link)
    for size in ((640, 480), (2400, 1800)):
        out = io.BytesIO()
        picture(3).resize(size).convert("RGB").save(out, "JPEG", quality=92)
        known = photos.examine(out.getvalue())
        seen = ann.page.evaluate(MEASURED, [list(out.getvalue()), 1600])
        assert seen["brightness"] == pytest.approx(known.brightness, abs=1)
        assert seen["sharpness"] == pytest.approx(known.sharpness, rel=0.1)
