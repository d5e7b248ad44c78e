"""The web process starts without the machine's half: no torch, no numpy, no scikit-learn."""

from __future__ import annotations

import json
import subprocess
import sys

from config.database import ROOT

CODE = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.urls import get_resolver
from django.core.handlers.asgi import ASGIHandler
ASGIHandler()
import labeling.learning.views, labeling.learning.services, labeling.learning.selectors
found = [pattern for pattern in get_resolver().url_patterns]
heavy = ("torch", "torchvision", "numpy", "scipy", "sklearn", "onnxruntime", "inference.train")
print(json.dumps({"routes": len(found), "heavy": [name for name in heavy if name in sys.modules]}))
"""


def load(code: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def test_the_web_process_imports_nothing_heavy() -> None:
    told = load(CODE)
    assert told["routes"]
    assert told["heavy"] == []


def test_the_learning_rooms_web_modules_import_nothing_of_the_machines_half() -> None:
    """This room alone, so that another room's slip is not blamed on it."""
    told = load(
        CODE.replace("from django.urls import get_resolver", "").replace(
            "[pattern for pattern in get_resolver().url_patterns]", "[]"
        )
    )
    assert told["heavy"] == []
