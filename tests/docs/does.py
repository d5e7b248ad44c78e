"""What each command of the docs has done when a reader has run it, and what a reader would put in an example's place."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import httpx
import psycopg
from django.db import connection

from config.database import ROOT
from labeling.catalog.demo import SLUG
from labeling.catalog.models import Item, Membership, Project
from labeling.gateway.management.commands.demo import LOCAL_PASSWORD, PEOPLE
from labeling.inspections.models import Inspection
from labeling.jobs.models import Job
from labeling.jobs.services import cancel
from labeling.learning.models import ModelVersion
from labeling.people.models import User
from labeling.truth.models import Annotation


@dataclass
class World:
    """Where commands run. ``machines``: a Hilltop, another machine of it, and an empty one: their environments."""

    folder: Path
    machines: dict[str, dict[str, str]]
    #: What the docs say → what a reader would say.
    said_for: dict[str, str]
    newest_worker: int = 0

    def url(self, machine: str) -> str:
        return f"http://127.0.0.1:{self.machines[machine]['HILLTOP_PORT']}"


Effect = Callable[[World, str], None]


class Does(NamedTuple):
    """``command``: a pattern of its words. ``ready``: it runs until Ctrl-C, and says this when it is up; ``stays``: for the
    pages that follow. ``at``: on which machine. ``asked``: what the terminal asks, and what is answered. ``then``: what
    tells the effect, where the command prints nothing."""

    command: str
    effect: Effect
    ready: str = ""
    stays: bool = False
    at: str = "hilltop"
    asked: dict[str, str] = {}
    then: str = ""


def says(*texts: str) -> Effect:
    def effect(_world: World, told: str) -> None:
        assert [text for text in texts if text not in told] == [], told

    return effect


def answers(machine: str) -> Effect:
    def effect(world: World, _told: str) -> None:
        with urllib.request.urlopen(f"{world.url(machine)}/login", timeout=60) as page:
            assert page.status == 200

    return effect


def works(said: str) -> Effect:
    """It has told the database of itself, and waits for jobs."""

    def effect(world: World, told: str) -> None:
        assert said in told
        deadline = time.monotonic() + 300
        while (newest := _newest_worker()) <= world.newest_worker:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        world.newest_worker = newest

    return effect


def _newest_worker() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM procrastinate_workers")
        return int(cursor.fetchone()[0])


def _demo(_world: World, told: str) -> None:
    """The lines that getting-started shows, whose passwords are true, and the project."""
    from tests.docs.blocks import blocks

    (shown,) = [each.text for each in blocks() if each.text.startswith("Hilltop is at")]
    for line in shown.splitlines()[1:]:
        assert line in told, told
    for name in PEOPLE:
        assert User.objects.get(username=name).check_password(LOCAL_PASSWORD)
    assert Membership.objects.filter(project__slug=SLUG).count() == len(PEOPLE)
    # It waits for a worker, which would take in 2,624 photos.
    cancel(job=Job.objects.live().get(kind="intake"))


def _installed(world: World, _told: str) -> None:
    lock = (ROOT / "requirements.lock").read_bytes()
    assert (world.folder / ".venv" / ".installed").read_text().strip() == hashlib.sha256(lock).hexdigest()


def _compiled(_world: World, _told: str) -> None:
    for source in ROOT.glob("locale/*/LC_MESSAGES/*.po"):
        assert source.with_suffix(".mo").stat().st_mtime >= source.stat().st_mtime


def _behind_a_proxy(world: World, _told: str) -> None:
    sent = {"Host": "label.example.com", "X-Forwarded-Proto": "https"}
    page = httpx.get(f"{world.url('another')}/login", headers=sent)
    assert page.status_code == 200 and "__Host-csrftoken" in page.cookies
    assert httpx.get(f"{world.url('another')}/login", headers={"Host": "x.example.com"}).status_code == 400


def _first_administrator(_world: World, _told: str) -> None:
    assert User.objects.get(username="ada", is_superuser=True).check_password("look-closely-7")


def _storage(world: World, told: str) -> None:
    from storages.backends.s3 import S3Storage

    storage = S3Storage(**json.loads(told)["OPTIONS"])
    assert (storage.bucket_name, storage.location) == ("photos", "hilltop")


def _backed_up(world: World, told: str) -> None:
    assert "is whole" in told
    (manifest,) = (world.folder / "backups" / "backups").glob("*/manifest.json")
    assert json.loads(manifest.read_text())


def _restored(world: World, told: str) -> None:
    assert "is restored" in told
    with psycopg.connect(world.machines["empty"]["DATABASE_URL"]) as line:
        assert line.execute("SELECT slug FROM catalog_project WHERE slug = %s", [SLUG]).fetchone()


def _moved(world: World, told: str) -> None:
    assert "with DATABASE_URL set to that" in told and "with HILLTOP_STORAGE set to that" in told
    with psycopg.connect(world.machines["moved"]["DATABASE_URL"]) as line:
        assert line.execute("SELECT slug FROM catalog_project WHERE slug = %s", [SLUG]).fetchone()


def _derived(_world: World, told: str) -> None:
    derived = Project.objects.get(slug="kinds")
    assert "photos in a new order after" in told
    assert Item.objects.filter(project=derived).count() > 10
    assert derived.memberships.count() == len(PEOPLE)


def _answered(_world: World, _told: str) -> None:
    given = Annotation.objects.get(key="6f2b5a0e-8f52-4c3e-9f6e-0d4f3a1b7c11")
    assert (given.labeler.username, given.label_class.key) == ("labeler1", "functional")


def _predicted(world: World, told: str) -> None:
    photos = json.loads(told)["photos"]
    assert photos and all(each["error"] is None and each["version"] == 1 for each in photos)
    assert all(set(each["scores"]) == {"functional", "defective"} for each in photos)


def _uploaded(_world: World, _told: str) -> None:
    assert Item.objects.filter(project__slug=SLUG, name="new.png").exists()


def _inspected(_world: World, told: str) -> None:
    assert json.loads(told)["external_id"] == "W-1042"
    assert Inspection.objects.get(external_id="W-1042").photos.count() == 2


def _brought_in(_world: World, told: str) -> None:
    assert "Version 2" in told
    assert ModelVersion.objects.get(project__slug=SLUG, number=2).manifest["origin"] == "brought_in"


def _gate(world: World, told: str) -> None:
    assert "Version 1 passes." in told
    assert ElementTree.parse(world.folder / "gate.xml").getroot().get("failures") == "0"


def _scores(_world: World, told: str) -> None:
    lines = [json.loads(line) for line in told.splitlines()]
    assert [Path(line["photo"]).name for line in lines] == ["a.jpg", "b.png"]
    assert all(set(line["scores"]) == {"functional", "defective"} for line in lines)


def _package(*needed: str) -> Effect:
    def effect(world: World, told: str) -> None:
        assert "Successfully installed hilltop-client" in told or "already satisfied" in told, told
        (packages,) = (world.folder / ".venv" / "lib").glob("python*/site-packages")
        assert (packages / "hilltop_client" / "py.typed").exists()
        assert [name for name in needed if f"Requirement already satisfied: {name}" not in told] == [], told

    return effect


def _something(_world: World, told: str) -> None:
    assert told.strip()


MANAGE = ".venv/bin/python manage.py"
UP = "Hilltop answers at"

DOES = [
    Does("make demo", _demo, ready="Look at first:"),
    Does("make .venv/.installed", _installed),
    Does(f"{MANAGE} migrate", says("No migrations to apply")),
    Does(".venv/bin/python -m config.translations", _compiled),
    Does(
        f"{MANAGE} createsuperuser",
        _first_administrator,
        asked={"Username": "ada", "Email": "", "Password:": "look-closely-7", "again": "look-closely-7"},
    ),
    Does("make serve", answers("hilltop"), ready=UP, stays=True),
    Does("DATABASE_URL=* make serve", answers("another"), ready=UP, at="another"),
    Does("HILLTOP_HTTPS=1 * make serve", _behind_a_proxy, ready=UP, at="another"),
    Does(f"HILLTOP_WORKERS=0 {MANAGE} serve", answers("another"), ready=UP, at="another"),
    Does(f"{MANAGE} worker", works("jobs of cpu, gpu, 3 at once"), ready=" at once", stays=True),
    Does(f"{MANAGE} worker --queues cpu", works("jobs of cpu, 3 at once"), ready=" at once", at="another"),
    Does(f"{MANAGE} worker --queues gpu", works("jobs of gpu, 3 at once"), ready=" at once", at="another"),
    Does(
        f"{MANAGE} worker --concurrency 1",
        works("jobs of cpu, gpu, 1 at once"),
        ready=" at once",
        at="another",
    ),
    Does(f"{MANAGE} rescore", says("1 projects")),
    Does(".venv/bin/python -m pip install django-storages[[]s3]", says("already satisfied: django-storages")),
    Does("export HILLTOP_STORAGE=*", _storage, then='printf %s "$HILLTOP_STORAGE"'),
    Does(f"{MANAGE} check_stored", says("photos looked at")),
    Does(f"{MANAGE} backup /mnt/backups", _backed_up),
    Does(f'{MANAGE} backup {{"BACKEND": *', says("is whole")),
    Does(f"{MANAGE} restore /mnt/backups --check", says("is whole"), at="empty"),
    Does(f"{MANAGE} restore /mnt/backups", _restored, at="empty"),
    Does(f"{MANAGE} move *", _moved, at="empty"),
    Does(f"{MANAGE} derive *", _derived),
    Does("API=*", says("/api/v1"), then='printf %s "$API"'),
    Does("TOKEN=*", _something, then='printf %s "$TOKEN"'),
    Does("LEASE=*", _something, then='printf %s "$LEASE"'),
    Does("curl * $API/projects/cells/annotations *", _answered),
    Does("curl * localhost:8000/api/v1/me *", says('"username":"lina"')),
    Does("python of client/README.md", _uploaded),
    Does("curl * localhost:8000/api/v1/protocols/car-wash/inspections *", _inspected),
    Does("curl * localhost:8000/api/v1/projects/cells/predict *", _predicted),
    Does("pip install ./client", _package("httpx")),
    Does("pip install ./client[[]tables]", _package("pyarrow", "pandas")),
    Does("pip install ./client[[]tables,torch]", _package("pyarrow", "torch")),
    Does(f"{MANAGE} bundle cells cells.zip", says("is in cells.zip")),
    Does("python -m zipfile -e cells.zip taken && cd taken", says("predict.py", "head.onnx"), then="ls"),
    Does(
        "pip install -r requirements.txt", says("already satisfied: onnxruntime", "already satisfied: numpy")
    ),
    Does("python predict.py *", _scores),
    Does(f"{MANAGE} bring_in cells *", _brought_in),
    Does(f"{MANAGE} gate cells *", _gate),
    Does(f"{MANAGE} backbones list", says("efficientnet_lite0  (at hand)")),
    Does(f"{MANAGE} backbones list dinov2", says("timm:vit_small_patch14_dinov2")),
    Does(".venv/bin/python -m benchmarks.NAME", says('"cycles": 0')),
]


def of(words: str) -> list[Does]:
    return [each for each in DOES if fnmatchcase(words, each.command)]
