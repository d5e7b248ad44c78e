"""The web process starts without the machine's half; a worker cannot be started without it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from config.database import ROOT

HEAVY = ["torch", "torchvision", "onnxruntime", "sklearn", "modAL", "crowdkit", "numpy", "ray"]
#: What says of a photo's bytes what they are, without arrays.
LIGHT = {"", ".photo", ".photo.colour", ".photo.exif", ".photo.header", ".photo.png"}


def python(code: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout.strip()


def test_the_web_process_loads_every_page_without_the_machines_half() -> None:
    loaded = python(
        "import sys, config.asgi, config.urls\n"
        "from django.urls import get_resolver\n"
        "assert get_resolver().url_patterns\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules] + [name for name in sys.modules"
        f" if name.partition('.')[0] == 'inference' and name.removeprefix('inference') not in {LIGHT!r}])"
    )
    assert loaded == "[]"


def test_a_worker_loads_the_task_modules() -> None:
    loaded = python(
        "import django; django.setup()\n"
        "from labeling.jobs.handlers import handler_for\n"
        "print([kind for kind in ('intake', 'embed', 'train', 'rank') if handler_for(kind) is None])",
        HILLTOP_ROLE="worker",
    )
    assert loaded == "[]"


def test_a_worker_cannot_be_started_from_inside_another_process() -> None:
    with pytest.raises(CommandError, match=r"python manage\.py worker"):
        call_command("worker")


def test_manage_py_worker_sets_the_role_before_django_starts() -> None:
    said = python(
        "import os, sys\n"
        "os.environ.pop('HILLTOP_ROLE', None)\n"
        "import django.core.management as management, manage\n"
        "management.execute_from_command_line = lambda argv: print(argv[1], os.environ.get('HILLTOP_ROLE'))\n"
        "for command in ('migrate', 'worker'):\n"
        "    sys.argv = ['manage.py', command]\n"
        "    manage.main()"
    )
    assert said.splitlines() == ["migrate None", "worker worker"]
