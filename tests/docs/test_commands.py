"""Every shell command of the docs is run against a live Hilltop, or named in ``elsewhere.py`` with what else proves it."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections import Counter
from pathlib import Path

from django.core.management import get_commands, load_command_class

from config.database import ROOT
from labeling.catalog.images import add_image, add_items
from labeling.inspections.services import create_protocol
from labeling.people.models import Token, User
from tests.docs.blocks import SHELLS, Block, blocks, named
from tests.docs.elsewhere import LIST
from tests.factories import join, make_project, photo_bytes
from tests.stack import Stack

ELSEWHERE = {command for each in LIST for command in each.commands}


def shell() -> list[Block]:
    return [block for block in blocks() if block.language in SHELLS]


def test_every_block_says_what_it_is() -> None:
    assert [block.place for block in blocks() if not block.language] == [], "sh, json, text …"


def test_what_is_proven_elsewhere_is_written_and_its_proof_is_there() -> None:
    written = {command for block in shell() for command in block.commands}
    assert sorted(ELSEWHERE - written) == [], "named, and in no page any more"
    assert [n for n, count in Counter(c for each in LIST for c in each.commands).items() if count > 1] == []
    assert [each.proof for each in LIST if each.proof and not named(each.proof)] == []


def test_our_own_commands_take_what_the_docs_give_them() -> None:
    """Also of those that are run nowhere with just these options."""
    apps, seen = get_commands(), 0
    for block in shell():
        for words in (
            shlex.split(written.replace("\\\n", " "), comments=True) for written in block.commands.values()
        ):
            if "manage.py" not in words:
                continue
            name, *options = words[words.index("manage.py") + 1 :]
            app = apps[name]
            command = load_command_class(app, name) if isinstance(app, str) else app
            command.create_parser("manage.py", name).parse_args(options)
            seen += 1
    assert seen > 20


def test_make_has_every_target_of_the_docs() -> None:
    commands = [command.split() for block in shell() for command in block.commands]
    targets = {words[words.index("make") + 1] for words in commands if "make" in words}
    dry = subprocess.run(["make", "--dry-run", *sorted(targets)], cwd=ROOT, capture_output=True, text=True)
    assert len(targets) > 5 and dry.returncode == 0, dry.stderr


def furnished(folder: Path) -> dict[str, str]:
    """The people, the project, the protocol and the files of which the docs speak; what their shells know of them."""
    chief = User.objects.create_superuser("chief", password=None)
    for name, password in (("lina", "…"), ("labeler1", "look-closely")):
        User.objects.create_user(name, password=password)
    cells = make_project(slug="cells", admin=chief)
    make_project(slug="wash", classes=("foam", "none"), admin=chief)
    join(cells, User.objects.get(username="labeler1"))
    images = [
        (add_image(data=photo_bytes(number, size=(320, 240)))[0], f"{number}.png") for number in range(2)
    ]
    add_items(project=cells, images=images, source="the demo")
    create_protocol(
        by=chief,
        slug="car-wash",
        name="Car wash",
        shots=[{"key": key, "name": key.capitalize(), "checks": ["wash"]} for key in ("front", "interior")],
        rules=[],
    )
    for number, shot in enumerate(("front", "interior")):
        (folder / f"{shot}.jpg").write_bytes(photo_bytes(number, format="JPEG"))
    return {"TOKEN": Token.objects.create(user=chief)[1]}


def test_every_other_command_runs(live_stack: Stack, tmp_path: Path) -> None:
    known = furnished(tmp_path)
    there = "".join(
        f'connect-to = "{host}:8000:127.0.0.1:{live_stack.port}"\n' for host in ("localhost", "127.0.0.1")
    )
    (tmp_path / ".curlrc").write_text(f'{there}fail-with-body\nshow-error\nnoproxy = "*"\n')
    environment = {**os.environ, **known, "CURL_HOME": str(tmp_path)}
    run, failed = 0, []
    for block in shell():
        script = "".join(text for words, text in block.commands.items() if words not in ELSEWHERE)
        if not script:
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        run += 1
        if done.returncode:
            failed.append(f"{block.place}\n{script}\n{done.stdout}{done.stderr}")
    assert not failed, "not in elsewhere.py, and it fails:\n" + "\n".join(failed)
    assert run >= 3
