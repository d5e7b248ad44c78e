"""``python -m tests.browser.screenshots``: the pictures in ``docs/screenshots``, taken anew.

A temporary Hilltop with its own database, web server and worker is filled with made-up cells, labeled by two simulated
people and one reviewer through the services, trained and promoted by the worker, and photographed in Chromium. The
dashboard looks back on twelve weeks, which are written into a project of their own; the inspections are
the demo's car wash (:mod:`tests.browser.inspection_pictures`). ``--only inspections`` takes theirs alone.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

# Playwright's synchronous API keeps an event loop in this thread, which makes Django refuse ORM calls.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.bench_project import close_connections, set_up_django
from benchmarks.running import hilltop, own_database
from benchmarks.screen import CHROMIUM
from config.database import ROOT
from tests.browser.inspection_pictures import SmallCamera, film_of_a_car, live_at_the_wash, take_inspections
from tests.browser.photographing import Camera, photo_shown
from tests.cells import MadeCell, make_cells

if TYPE_CHECKING:
    from labeling.catalog.models import Project
    from labeling.people.models import User

SLUG = "cells"
PHOTOS = 64
SWEPT = 132
GOLD = 4
CELLS = 240
CLASSES = [
    {
        "key": "functional",
        "name": "Functional",
        "criteria": "The whole cell glows. Soft clouds and the regular dark lines of busbars and fingers belong to it.",
        "checklist": ["No sharp dark line", "No area is dark up to a sharp edge"],
    },
    {
        "key": "defective",
        "name": "Defective",
        "criteria": (
            "Some of the cell gives no power: a crack (a thin dark line with a sharp edge), "
            "or an area that is dark up to a sharp edge.\nIf you would have to guess, hold the photo."
        ),
        "checklist": ["I can point at the crack or the dark area"],
    },
]


@dataclass
class Stage:
    """The project and its people; ``cells`` by SHA-256."""

    project: Project
    admin: User
    reviewer: User
    labelers: list[User]
    cells: dict[str, MadeCell]
    batch: str = ""
    exemplars: frozenset[str] = frozenset()


def build() -> Stage:
    from labeling.catalog.services import create_project, set_role
    from labeling.people.models import User

    admin = User.objects.create_superuser("admin1", password=None)
    project = create_project(
        slug=SLUG,
        name="Solar cells",
        question="Is this cell defective?",
        classes=CLASSES,
        by=admin,
        description="Made-up cells.",
        gold_rate=0.08,
        boundary_after=60,
    )
    people = {}
    for name, role in (("reviewer1", "reviewer"), ("labeler1", "labeler"), ("labeler2", "labeler")):
        people[name] = User.objects.create_user(name, password=None)
        set_role(project=project, user=people[name], role=role, by=admin)
    return Stage(project, admin, people["reviewer1"], [people["labeler1"], people["labeler2"]], {})


def take_in(stage: Stage) -> None:
    """The cells by a real intake, with one duplicate and one file that is no photo."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from labeling.catalog.models import IntakeKind, Item
    from labeling.catalog.services import amend_guideline, start_intake
    from labeling.truth.services import add_gold

    cells = make_cells(PHOTOS)
    sent = [(cell.name, cell.data) for cell in cells]
    sent += [("module-001 (copy).png", cells[0].data), ("notes.txt", b"Shift 2, line 4.")]
    batch, _job = start_intake(
        project=stage.project,
        by=stage.admin,
        kind=IntakeKind.UPLOAD,
        source="Line 4, morning shift",
        files=[SimpleUploadedFile(name, data) for name, data in sent],
    )
    stage.batch = str(batch.pk)
    _until_idle(stage.project)
    items = {item.name: item for item in Item.objects.filter(project=stage.project).select_related("image")}
    stage.cells = {items[cell.name].image.sha256: cell for cell in cells}
    plain = [cell for cell in cells if cell.damage in (0.0, 0.8, 1.0)]
    for key, defective in (("functional", False), ("defective", True)):
        of_class = [items[cell.name] for cell in plain if cell.is_defective is defective]
        for item in of_class[: GOLD // 2]:
            add_gold(project=stage.project, item=item, class_key=key, by=stage.admin)
        exemplars = [item.image.sha256 for item in of_class[GOLD // 2 : GOLD // 2 + 2]]
        amend_guideline(
            project=stage.project,
            by=stage.admin,
            note=f"Two examples of what is {key}",
            exemplars={key: exemplars},
        )
        stage.exemplars |= frozenset(exemplars)
    _until_idle(stage.project)


def label(stage: Stage, *, until: int, dice: random.Random, ruling: bool, disputes: int = 0) -> None:
    """Answer until people settled ``until`` photos and ``disputes`` are open; ``ruling``: each is ruled at once."""
    from labeling.queue.services import claim
    from labeling.truth.models import Dispute, GroundTruth
    from labeling.truth.services import rule

    settled = GroundTruth.objects.current().filter(project=stage.project, kind="class").exclude(origin="gold")
    open_now = Dispute.objects.filter(project=stage.project, ruling=None)
    while settled.count() < until or open_now.count() < disputes:
        answered = 0
        for person in stage.labelers:
            for slot in claim(project=stage.project, labeler=person, count=2, dice=dice):
                _answer(stage, person, slot, dice)
                answered += 1
        for dispute in open_now.select_related("item__image") if ruling else ():
            rule(
                project=stage.project,
                dispute_id=dispute.pk,
                reviewer=stage.reviewer,
                outcome="class",
                class_key=stage.cells[dispute.item.image.sha256].key,
            )
            answered += 1
        if not answered:
            return


def _answer(stage: Stage, person: User, slot: object, dice: random.Random) -> None:
    from django.utils import timezone

    from labeling.queue.services import submit
    from labeling.truth.services import Answer

    cell = stage.cells[slot.item.image.sha256]  # type: ignore[attr-defined]
    doubtful = cell.damage in (0.2, 0.35)
    key = cell.key
    if doubtful and dice.random() < 0.4:
        answer = Answer(kind="hold", reason="between", comment="A thin line, or grain?")
    elif doubtful and dice.random() < 0.4:
        answer = Answer(kind="class", class_key="functional" if key == "defective" else "defective")
    else:
        answer = Answer(kind="class", class_key=key)
    submit(
        project=stage.project,
        labeler=person,
        lease=slot.pk,  # type: ignore[attr-defined]
        key=uuid.uuid4(),
        answer=answer,
        shown_at=timezone.now(),
        view_ms=int(dice.uniform(900, 3500) * (2 if doubtful else 1)),
    )


def a_lamp_fades(stage: Stage) -> None:
    """Thirty more cells as before, then thirty darker ones; the monitors look after each."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from labeling.catalog.models import IntakeKind
    from labeling.catalog.services import start_intake
    from labeling.monitors.services import request_monitoring, set_thresholds

    set_thresholds(project=stage.project, by=stage.admin, reason="A small line", window=30)
    for seed, light, source in ((6, 1.0, "Line 4, evening shift"), (7, 0.75, "Line 4, night shift")):
        files = []
        for cell in make_cells(30, seed=seed):
            buffer = io.BytesIO()
            Image.open(io.BytesIO(cell.data)).point([round(light * v) for v in range(256)]).save(
                buffer, "PNG"
            )
            files.append(SimpleUploadedFile(f"{seed}-{cell.name}", buffer.getvalue()))
        start_intake(
            project=stage.project, by=stage.admin, kind=IntakeKind.UPLOAD, source=source, files=files
        )
        _until_idle(stage.project)
        request_monitoring(project=stage.project, by=stage.admin)
        _until_idle(stage.project)


def hold_a_cracked_cell(stage: Stage) -> None:
    """Let the first labeler skip photos until one with plain damage is on loan to them: it makes a better picture."""
    from labeling.queue.services import claim, skip

    person = stage.labelers[0]
    while slots := claim(project=stage.project, labeler=person):
        sha256 = slots[0].item.image.sha256
        if stage.cells[sha256].damage >= 0.8 and sha256 not in stage.exemplars:
            return
        skip(project=stage.project, labeler=person, lease=slots[0].pk)


def train(stage: Stage, *, promote: bool, reason: str = "") -> None:
    from labeling.learning import services
    from labeling.learning.models import ModelVersion

    services.request_training(project=stage.project, by=stage.admin)
    _until_idle(stage.project)
    if promote:
        newest = ModelVersion.objects.filter(project=stage.project).order_by("-number")[:1].get()
        services.promote(model_version=newest, by=stage.admin, reason=reason)
        _until_idle(stage.project)


def estimate(stage: Stage) -> None:
    from labeling.jobs.services import enqueue
    from labeling.truth.quality.agreement import ESTIMATES

    enqueue(kind=ESTIMATES, project_id=stage.project.pk, requested_by=stage.admin)
    _until_idle(stage.project)


def _until_idle(project: Project, timeout: float = 1800.0) -> None:
    from labeling.jobs.models import Job, JobState

    deadline = time.monotonic() + timeout
    while Job.objects.of_project(project.pk).live().exists():
        if time.monotonic() > deadline:
            raise SystemExit("the jobs did not end in time")
        time.sleep(0.3)
    failed = Job.objects.of_project(project.pk).filter(state=JobState.FAILED).first()
    if failed is not None:
        raise SystemExit(f"the {failed.kind} job failed: {failed.error}")


def live_for_weeks(stage: Stage) -> str:
    """A project with twelve weeks of history on made-up cells; its slug."""
    from labeling.catalog.models import Item, Project
    from labeling.catalog.services import add_image, add_items
    from tests.frontier.living import Living

    class Line(Living):
        def take_in(self, count: int) -> list[Item]:
            cells = make_cells(CELLS, seed=8)
            self.cells = {cell.name: cell for cell in cells}
            images = [(add_image(data=cell.data)[0], cell.name) for cell in cells]
            return add_items(project=self.project, images=images, source="Line 4") + super().take_in(
                max(count - CELLS, 0)
            )

        def key(self, item: Item) -> str:
            cell = self.cells.get(item.name)
            return cell.key if cell else super().key(item)

    line = Line(days=84, photos=4, slug="line-4", admin=stage.admin)
    line.score_the_rest()
    Project.objects.filter(pk=line.project.pk).update(name="Line 4")
    return line.project.slug


def take_dashboard(camera: Camera, stage: Stage, slug: str) -> None:
    def unfolded(page: Page) -> None:
        page.wait_for_selector("html[data-plots]", state="attached")
        page.evaluate("document.querySelectorAll('.topic').forEach((each) => { each.open = true; })")
        page.wait_for_selector("[data-frontier]")

    def panels(page: Page) -> None:
        unfolded(page)
        page.locator("#topic-work").evaluate("(topic) => topic.scrollIntoView()")

    def then(page: Page) -> None:
        unfolded(page)
        page.locator("#frontier").evaluate("(figure) => figure.scrollIntoView()")
        time_line = page.get_by_label("Time", exact=True)
        time_line.focus()
        for _step in range(4):
            time_line.press("ArrowLeft")

    address = f"/p/{slug}/dashboard"
    camera.take("dashboard", address, stage.admin, height=1180)
    camera.take("dashboard-panels", address, stage.admin, height=1240, dark=True, prepare=panels)
    camera.take("dashboard-narrow", address, stage.admin, width=360, height=900, prepare=then)


def take_all(camera: Camera, stage: Stage) -> None:
    hold_a_cracked_cell(stage)  # on loan for five minutes, and the car wash before took longer
    labeler, project = stage.labelers[0], f"/p/{SLUG}"
    camera.take("label", f"{project}/label", labeler, prepare=photo_shown)
    camera.take("label-dark", f"{project}/label", labeler, dark=True, prepare=photo_shown)
    camera.take("label-narrow", f"{project}/label", labeler, width=360, height=740, prepare=photo_shown)
    camera.take("review", f"{project}/review", stage.reviewer)
    camera.take("overview", f"{project}/", stage.admin)
    camera.take("models", f"{project}/models", stage.admin)
    camera.take("labelers", f"{project}/labelers", stage.admin)
    camera.take("intake", f"{project}/intake/{stage.batch}", stage.admin)
    a_lamp_fades(stage)
    camera.take("monitors", f"{project}/monitors", stage.admin, height=1100)


def take_sweep(camera: Camera, stage: Stage) -> None:
    """A project of its own whose outer band fills a grid: healthy cells on one ladder, damaged ones on the other."""
    from labeling.catalog.images import add_image, add_items
    from labeling.catalog.models import Item, Project
    from labeling.queue.models import SweepPhoto
    from tests.queue.sweeps import make_field

    cells = make_cells(320, seed=9)
    of_class = {
        False: [cell for cell in cells if cell.damage == 0.0],
        True: [cell for cell in cells if cell.damage >= 0.6],
    }

    def photos(project: Project, count: int, *, seed: int = 0) -> list[Item]:
        # The pool has ladders in turn; gold comes as one class after the other.
        wanted = [bool(n % 2) if not seed else n >= count // 2 for n in range(count)]
        chosen = [of_class[defective].pop() for defective in wanted]
        images = [(add_image(data=cell.data)[0], cell.name) for cell in chosen]
        return list(add_items(project=project, images=images, source="Line 4"))

    field = make_field(photos, photos=SWEPT, admin=stage.admin)
    Project.objects.filter(pk=field.project.pk).update(name="Solar cells")

    def mark_what_does_not_belong(page: Page) -> None:
        photo_shown(page)
        for photo in SweepPhoto.objects.filter(sweep__labeler=field.ann, known__isnull=False):
            page.locator(f'[data-id="{photo.pk}"]').click()
        page.keyboard.press("Home")
        page.mouse.move(2, 2)

    path = f"/p/{field.project.slug}/sweep"
    camera.take("sweep", path, field.ann, prepare=mark_what_does_not_belong)
    camera.take("sweep-narrow", path, field.ann, width=360, height=740, prepare=mark_what_does_not_belong)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--only", choices=["dashboard", "sweep", "inspections"], help="these pictures alone")
    options = parser.parse_args()
    path = os.environ.get("HILLTOP_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise SystemExit(
            "No Chromium here: install it (Debian: apt-get install chromium) or set HILLTOP_CHROMIUM."
        )
    dice = random.Random(11)
    with own_database() as here:
        set_up_django()
        stage = build()
        with hilltop() as target:
            if options.only is None:
                take_in(stage)
                label(stage, until=14, dice=dice, ruling=True)
                train(stage, promote=True, reason="The first one")
                label(stage, until=26, dice=dice, ruling=False, disputes=4)
                train(stage, promote=False)
                estimate(stage)
            slug = live_for_weeks(stage) if options.only in (None, "dashboard") else ""
            if options.only in (None, "inspections"):
                live_at_the_wash(stage.admin)
            film_of_a_car(here / "film.mjpeg")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=path,
                    args=[
                        "--no-sandbox",
                        "--disable-dev-shm-usage",
                        "--use-fake-device-for-media-stream",
                        f"--use-file-for-fake-video-capture={here / 'film.mjpeg'}",
                    ],
                )
                camera = Camera(browser, target.url, options.folder)
                if options.only is None:
                    take_all(camera, stage)
                if slug:
                    take_dashboard(camera, stage, slug)
                if options.only in (None, "sweep"):
                    take_sweep(camera, stage)
                if options.only in (None, "inspections"):
                    folder = options.folder / "inspections"
                    take_inspections(SmallCamera(browser, target.url, folder), stage.admin)
                browser.close()
        close_connections()


if __name__ == "__main__":
    main()
