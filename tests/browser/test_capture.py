"""A phone at the car: Chromium's fake camera shows a film of made-up pictures, on an emulated phone."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image as PillowImage
from playwright.sync_api import Route, expect

from labeling.catalog import photos
from labeling.gateway.bodies import SMALL
from labeling.inspections.capture.links import prolong_link, token_of
from labeling.inspections.models import CaptureLink, InspectionPhoto
from tests.browser import axe
from tests.browser.cameras import Phone, film, picture
from tests.inspections.capturing import make, make_protocol
from tests.stack import Stack


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
