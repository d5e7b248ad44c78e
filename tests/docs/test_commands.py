"""Every shell command of the docs is run as a reader would run it, in the order of the pages, against one Hilltop.

What each has done then is in ``does.py``, and the few that cannot be run are in ``elsewhere.py``.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

import httpx
import psycopg
import pytest
from django.core.management import get_commands, load_command_class
from django.db import connection
from hilltop_client import Hilltop
from playwright._impl._driver import compute_driver_executable
from psycopg import sql

from config.database import ROOT
from labeling.catalog.elpv import clear_cells
from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Project
from labeling.jobs.models import Job
from labeling.learning.models import Score
from labeling.people.models import Token, User
from tests import database
from tests.docs import does
from tests.docs.blocks import Block, blocks, named
from tests.docs.does import Does, World
from tests.docs.elsewhere import LIST
from tests.docs.reader import ENDED, Program, Shell, checkout, programs, typed
from tests.factories import make_project, photo_bytes
from tests.inference.test_brought_in import classifier, saved
from tests.learning.building import settle
from tests.stack import free_port
from tests.store.conftest import in_bucket, s3  # noqa: F401

#: Who reads starts Hilltop first; what the other pages speak of is there then.
FIRST = ("README.md", "docs/quick-start.md", "docs/operating.md")
PATTERNS = [pattern for each in LIST for pattern in each.commands]


def is_elsewhere(words: str) -> bool:
    return any(fnmatchcase(words, pattern) for pattern in PATTERNS)


def to_run() -> list[Block]:
    return [block for block in blocks() if block.is_run]


def test_every_block_says_what_it_is() -> None:
    assert [block.place for block in blocks() if not block.language] == [], "sh, json, text …"


def test_each_command_is_known_once_and_what_is_known_is_written() -> None:
    written = {words for block in to_run() for words in block.commands}
    known = [*PATTERNS, *(each.command for each in does.DOES)]
    counts = {words: sum(fnmatchcase(words, pattern) for pattern in known) for words in written}
    assert {words: count for words, count in counts.items() if count != 1} == {}, (
        "in does.py, or in elsewhere.py"
    )
    assert [each for each in known if not any(fnmatchcase(words, each) for words in written)] == []
    assert [each.proof for each in LIST if each.proof and not named(each.proof)] == []


def test_our_own_commands_take_what_the_docs_give_them() -> None:
    """Also of those that are run nowhere with just these options."""
    apps, seen = get_commands(), 0
    for block in to_run():
        for written in block.commands.values():
            if "manage.py" not in written:
                continue
            words = shlex.split(written.replace("\\\n", " "), comments=True)
            name, *options = words[words.index("manage.py") + 1 :]
            app = apps[name]
            command = load_command_class(app, name) if isinstance(app, str) else app
            command.create_parser("manage.py", name).parse_args(options)
            seen += 1
    assert seen > 20


def test_make_has_every_target_of_the_docs() -> None:
    commands = [command.split() for block in to_run() for command in block.commands]
    targets = {words[words.index("make") + 1] for words in commands if "make" in words}
    dry = subprocess.run(["make", "--dry-run", *sorted(targets)], cwd=ROOT, capture_output=True, text=True)
    assert len(targets) > 5 and dry.returncode == 0, dry.stderr


@contextmanager
def empty_databases(*names: str) -> Iterator[list[str]]:
    with psycopg.connect(database.url_of("postgres"), autocommit=True) as line:
        for name in names:
            line.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield [database.url_of(name) for name in names]
        for name in names:
            line.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def world(transactional_db: None, tmp_path: Path, s3: str) -> Iterator[World]:  # noqa: F811
    folder = checkout(tmp_path)
    (folder / ".venv" / "bin" / "node").symlink_to(compute_driver_executable()[0])
    port = free_port()
    hosts = "".join(f'connect-to = "{host}:8000:127.0.0.1:{port}"\n' for host in ("localhost", "127.0.0.1"))
    (folder / ".curlrc").write_text(f'{hosts}fail-with-body\nshow-error\nnoproxy = "*"\n')
    in_bucket(s3, "backups")
    bucket = in_bucket(s3, "moved")
    here = {
        **os.environ,
        "DATABASE_URL": database.url_of(str(connection.settings_dict["NAME"])),
        "HILLTOP_PORT": str(port),
        "HILLTOP_WEB_WORKERS": "1",
        "HILLTOP_WORKERS": "0",  # the page has some started by themselves
        "HILLTOP_DB_PATIENCE": "5",
        "PYTHONUNBUFFERED": "1",  # as at a terminal, a line is told when it is written
        "HILLTOP_URL": f"http://127.0.0.1:{port}",
        "CURL_HOME": str(folder),
        "PATH": f"{folder / '.venv' / 'bin'}:{os.environ['PATH']}",
        # What is installed is what the lock names; nothing is fetched from anywhere.
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # which is how pip says that it is off
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
    }
    another = {
        **here,
        "HILLTOP_VAR": str(folder / "another"),
        "HILLTOP_PORT": str(free_port()),
        "HILLTOP_PREDICT": "0",
    }
    with empty_databases(f"restored_{os.getpid()}", f"moved_{os.getpid()}") as (restored, moved):
        yield World(
            folder,
            {
                "hilltop": here,
                "another": another,
                "empty": {**another, "HILLTOP_VAR": str(folder / "empty"), "DATABASE_URL": restored},
                "moved": {**another, "DATABASE_URL": moved},
            },
            {
                "postgresql://hilltop:secret@db.example.com:5432/hilltop": here["DATABASE_URL"],
                "postgresql://hilltop:secret@db.example.com/hilltop": moved,
                '{"BACKEND": …}': json.dumps(bucket),
                "/mnt/backups": str(folder / "backups"),
                "benchmarks.NAME": "benchmarks.house --quick",
            },
        )


def test_every_command_does_what_its_page_says(world: World) -> None:
    pages: dict[str, list[Block]] = {page: [] for page in FIRST}
    for block in to_run():
        pages.setdefault(block.page, []).append(block)
    done: set[str] = set()
    with programs() as running:
        for page, of_page in pages.items():
            if page not in FIRST and "TOKEN" not in world.machines["hilltop"]:
                furnish(world)
            for block in of_page:
                read(block, world, running, done)
        for program in reversed(running):
            assert program.press_ctrl_c() in ENDED, program.told
    assert len(done) > 40


def read(block: Block, world: World, running: list[Program], done: set[str]) -> None:
    """Each command that was not run yet. What a block sets is for the rest of the block."""
    shells = {}
    with ExitStack() as closing:
        for words, command in block.commands.items():
            if words in done or is_elsewhere(words):
                continue
            done.add(words)
            (known,) = does.of(words)
            for ours, theirs in world.said_for.items():
                command = command.replace(ours, theirs)
            began = time.monotonic()
            if known.ready:
                status, told = until_ctrl_c(known, command, world, running)
            elif known.asked:
                status, told = typed(command, world.folder, world.machines[known.at], known.asked)
            else:
                shell = shells.get(known.at)
                if shell is None:
                    shell = shells[known.at] = Shell(world.folder, world.machines[known.at])
                    closing.callback(shell.close)
                status, told = shell.run(command)
                told = shell.run(known.then)[1] if known.then and not status else told
            print(f"{time.monotonic() - began:5.1f} s  {words[:110]}", flush=True)
            assert status in (ENDED if known.ready else {0}), f"{block.place}\n{command}\n{told}"
            if not known.ready:
                known.effect(world, told)


def until_ctrl_c(known: Does, command: str, world: World, running: list[Program]) -> tuple[int, str]:
    log = world.folder / f"{len(list(world.folder.glob('*.log')))}.log"
    program = Program(command, world.folder, world.machines[known.at], log)
    running.append(program)
    if not program.wait_for(known.ready):
        return -1, program.told
    known.effect(world, program.told)
    if known.stays:
        return 0, program.told
    running.remove(program)
    return program.press_ctrl_c(), program.told


def furnish(world: World) -> None:
    """What the pages speak of, beside what the demo made: a champion, people, a protocol, files."""
    admin = User.objects.get(username="admin1")
    cells = Project.objects.get(slug="cells")
    Project.objects.filter(pk=cells.pk).update(promote_automatically=False, min_view_ms=0)
    token = Token.objects.create(user=admin)[1]
    world.machines["hilltop"] |= {"TOKEN": token, "HILLTOP_TOKEN": token}
    world.said_for |= {"https://hilltop.example.com": world.url("hilltop"), 'token="…"': f'token="{token}"'}
    learn(cells, world)
    User.objects.create_user("lina", password="…")
    for slug, classes in (("wash", ("foam", "none")), ("damage", ("dent", "sound"))):
        make_project(slug=slug, classes=classes, admin=admin, backbone="efficientnet_lite0")
    (told,) = [each.text for each in blocks() if each.language == "json" and "inspections.md" in each.place]
    made = httpx.post(
        f"{world.url('hilltop')}/api/v1/protocols",
        json=json.loads(told),
        headers={"Authorization": f"Token {token}"},
    )
    assert made.status_code == 201, made.text
    for number, name in enumerate(("front.jpg", "interior.jpg")):
        (world.folder / name).write_bytes(photo_bytes(number, size=(1200, 900), format="JPEG"))
    (world.folder / "photos").mkdir()
    for number, name in enumerate(("photo.png", "a.jpg", "b.png", "photos/new.png")):
        (world.folder / name).write_bytes(
            clear_cells(count=1, defective=False, skip=60 + number)[0].path.read_bytes()
        )
    saved(classifier(last="Softmax"), world.folder)
    (world.folder / "preprocessor_config.json").write_text(
        json.dumps({"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3})
    )
    (world.folder / "gate.toml").write_text("[gate]\naccuracy = 0.5\nlatency_ms = 60_000\nphotos = 4\n")


def learn(cells: Project, world: World) -> None:
    """Twenty-four photos on which experts were certain, as if people had agreed; a version of them that scores all."""
    keys, images = [], []
    for key in ("functional", "defective"):
        for cell in clear_cells(count=12, defective=key == "defective", skip=30):
            keys.append(key)
            images.append((add_image(data=cell.path.read_bytes())[0], cell.path.name))
    items = add_items(project=cells, images=images, source="test")
    settle(cells, items, keys)
    world.said_for["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"] = items[0].image.sha256
    until(lambda: not Job.objects.of_project(cells.pk).filter(kind__in=("intake", "embed")).live().exists())
    with Hilltop(world.url("hilltop"), token=world.machines["hilltop"]["TOKEN"]) as hilltop:
        project = hilltop.project("cells")
        project.promote(project.train()["number"], "first")
    until(lambda: Score.objects.filter(item__project=cells).count() >= len(items))
    until(lambda: not Job.objects.of_project(cells.pk).live().exists())


def until(so: Callable[[], bool], *, within: float = 300.0) -> None:
    end = time.monotonic() + within
    while not so() and time.monotonic() < end:
        time.sleep(0.1)
    assert so(), list(Job.objects.values_list("kind", "state", "error"))
