"""The pictures in ``docs/screenshots/inspections``: each page of the inspections, light, dark, and 390 px wide.

The stage is the demo's car wash: drawn scenes, simulated people, dates set back, the real services.
"""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import Page

from config.database import ROOT
from tests.browser.photographing import Camera, photo_shown

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from labeling.inspections.models import CaptureLink, Inspection
    from labeling.people.models import User

#: Bytes of one picture; px of height, of which a longer page shows the beginning.
LARGEST, HIGHEST = 60_000, 1100
PHONE_WIDTH, PHONE_HEIGHT = 390, 844
#: Frames of one still picture in the camera's film.
FRAMES = 30
ASKED_TWICE = 24


@dataclass(frozen=True)
class Wash:
    """Where what is photographed is to be found. ``often``: of the asset that came most often."""

    protocol: str
    project: str
    held: Inspection
    passed: Inspection
    often: Inspection
    link: CaptureLink
    sheet: str
    manager: User
    labeler: User


class SmallCamera(Camera):
    """Keeps each picture as a WebP of at most ``LARGEST`` bytes."""

    def keep(self, data: bytes, name: str) -> tuple[str, int]:
        path = self.folder / f"{name}.webp"
        with Image.open(io.BytesIO(data)) as picture:
            for quality in (80, 65, 50, 40, 30):
                buffer = io.BytesIO()
                picture.convert("RGB").save(buffer, "WEBP", quality=quality, method=6)
                if buffer.tell() <= LARGEST:
                    path.write_bytes(buffer.getvalue())
                    return path.name, buffer.tell()
        raise SystemExit(f"{path.name}: {buffer.tell()} bytes, more than {LARGEST}")


def film_of_a_car(path: Path) -> None:
    """What the fake camera shows, as motion JPEG: the front of a drawn car."""
    from labeling.gateway.demo import scenes

    dice = random.Random(4)
    path.write_bytes(scenes.draw(scenes.any_car(dice, 4), "front", scenes.PLAIN, dice) * FRAMES)


def live_at_the_wash(manager: User) -> None:
    """The demo's weeks."""
    from labeling.gateway.demo import wash

    wash.begin(by=manager, members={})
    # As the demo does: no backbone is fitted to a project with which nobody goes on.
    environment = os.environ | {"HILLTOP_ADAPT_AFTER": "0", "PYTHONHASHSEED": "0"}
    worker = ["manage.py", "worker", "--queues", "demo", "--concurrency", "1", "--until-idle"]
    subprocess.run([sys.executable, *worker], cwd=ROOT, env=environment, check=True)
    if not wash.COURSE.is_over():
        last = wash.COURSE.newest_day()
        raise SystemExit(f"the car wash came to nothing: {last and last.error}")


def furnish(manager: User) -> Wash:
    """What people make at the wash: a link, a second question on a sheet, a webhook, a spreadsheet link."""
    from django.db.models import Count
    from django.utils import timezone

    from labeling.exchange.feeds.links import make_feed
    from labeling.gateway.demo import wash
    from labeling.inspections.models import Asset, Inspection, Protocol
    from labeling.inspections.services import make_link
    from labeling.notify.endpoints import make_endpoint
    from labeling.people.models import User

    protocol = Protocol.objects.get(slug=wash.SLUG)
    project = wash.project_of(protocol)
    people = {name: User.objects.get(username=name) for name in ("sim-ada", "sim-ben")}
    month = timezone.now() + timedelta(days=30)
    make_endpoint(
        project=project,
        by=manager,
        name="Fleet system",
        url="https://fleet.example/washes",
        events=["inspection.decided"],
    )
    make_feed(
        project=project, by=manager, name="For the weekly report", table="ground-truths", expires_at=month
    )
    often = (
        Asset.objects.filter(inspections__protocol=protocol).annotate(n=Count("inspections")).order_by("-n")
    )
    newest = Inspection.objects.filter(protocol=protocol).order_by("-happened_at")
    return Wash(
        protocol=protocol.slug,
        project=project.slug,
        held=_of_most_photos(newest.filter(outcome="held")),
        passed=_of_most_photos(newest.filter(outcome="passed")),
        often=newest.filter(asset=often[:1].get())[:1].get(),
        link=make_link(
            protocol=protocol,
            by=manager,
            identifier="12가 3456",
            event="wash",
            expires_at=timezone.now() + timedelta(hours=23),
            site=wash.SITES[0],
            photographer="driver 3",
        ),
        sheet=_ask_twice(project.slug, manager, list(people.values())),
        manager=manager,
        labeler=people["sim-ada"],
    )


def _of_most_photos(found: QuerySet[Inspection]) -> Inspection:
    from django.db.models import Count

    return found.annotate(n=Count("photos")).order_by("-n", "-happened_at")[:1].get()


def _ask_twice(slug: str, manager: User, people: list[User]) -> str:
    """A second project about the newest photos of the wash, and the sheet that asks both; its address."""
    from labeling.catalog.images import add_items
    from labeling.catalog.models import Item, Project
    from labeling.catalog.services import create_project, set_role
    from labeling.queue.sheets.services import create_sheet

    dirt = create_project(
        slug="dirt",
        name="Dirt",
        question="Is the car dirty?",
        classes=[
            {"key": "clean", "name": "Clean", "criteria": "Nothing that a cloth would take off."},
            {"key": "dirty", "name": "Dirty", "criteria": "Mud, dust or stains on the body or the glass."},
        ],
        by=manager,
    )
    for person in people:
        set_role(project=dirt, user=person, role="labeler", by=manager)
    asked = Project.objects.get(slug=slug)
    items = Item.objects.filter(project=asked).select_related("image").order_by("-pk")[:ASKED_TWICE]
    add_items(project=dirt, images=[(each.image, each.name) for each in items], source="car wash")
    return create_sheet(slug="walk-round", name="Walk-round", projects=[slug, dirt.slug], by=manager).slug


def take_inspections(camera: SmallCamera, manager: User) -> None:
    wash = furnish(manager)
    protocol, project = f"/protocols/{wash.protocol}", f"/p/{wash.project}"
    pages = {
        "protocols": "/protocols/",
        "inspections": f"{protocol}/",
        "figures": f"{protocol}/figures/",
        "held": f"{protocol}/inspections/{wash.held.pk}/",
        "passed": f"{protocol}/inspections/{wash.passed.pk}/",
        "rules": f"{protocol}/rules/",
        "shots": f"{protocol}/shots/",
        "link": f"{protocol}/links/?link={wash.link.pk}",
        "asset": f"/assets/{wash.often.asset.kind}/{wash.often.asset.identifier}/",
        "webhooks": f"{project}/webhooks",
        "spreadsheet-links": f"{project}/feeds",
    }
    for name, path in pages.items():
        for look, how in _looks().items():
            camera.take(name + look, path, wash.manager, grow_to=HIGHEST, **how)
    for look, how in _looks().items():
        camera.take(
            f"trial{look}", pages["rules"], wash.manager, grow_to=HIGHEST, prepare=_try_stricter, **how
        )
        camera.take(f"sheet{look}", f"/sheet/{wash.sheet}/", wash.labeler, prepare=photo_shown, **how)
    _take_capture(camera, wash)


def _looks() -> dict[str, dict[str, int]]:
    return {"": {}, "-dark": {"dark": True}, "-narrow": {"width": PHONE_WIDTH, "height": PHONE_HEIGHT}}


def _try_stricter(page: Page) -> None:
    """Foam on one side would be too little."""
    page.get_by_label("How many shots of row 1").select_option("every")
    page.get_by_role("button", name="Try on past inspections").click()
    page.locator("[aria-labelledby=trial-title]").wait_for()


def _take_capture(camera: SmallCamera, wash: Wash) -> None:
    from labeling.inspections.capture.links import token_of

    def begin(page: Page) -> None:
        page.wait_for_selector("html[data-ready]")
        page.get_by_role("button", name="Start the camera").click()
        page.get_by_role("button", name="Photograph").wait_for()

    for look, dark in (("", False), ("-dark", True)):
        camera.take(
            f"capture{look}",
            f"/capture/{token_of(wash.link)}/",
            None,
            width=PHONE_WIDTH,
            height=PHONE_HEIGHT,
            dark=dark,
            prepare=begin,
            has_touch=True,
            is_mobile=True,
            permissions=["camera"],
        )
