"""Inspections by the API: how many a second, how soon a verdict follows, and is each verdict the one that the rows demand?

Four senders post walk-rounds of eight made-up photos to a real server, which looks at each photo, stores it, and asks two
projects; some photos are no photos or too dark, some calls are sent twice. Meanwhile people's words come in for most photos;
the worker embeds, and looks at inspections. At the end ``benchmarks.inspections_checker``, which knows none of the room's
code, recomputes every verdict from rows.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Pillow

from benchmarks.bench_project import Member, close_connections, set_up_django
from benchmarks.inspections_checker import check
from benchmarks.running import hilltop, own_database
from benchmarks.wire import Wire

if TYPE_CHECKING:
    from labeling.catalog.models import Project

SHOTS = ("front", "rear", "left", "right", "interior-front", "interior-rear", "panel", "wheel")
OUTSIDE = SHOTS[:4]
BOUNDARY = "hilltop-benchmark"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
#: Of all photos: shares that are no photo, and too dark. Of all calls: share that is sent twice.
NO_PHOTO, DARK, TWICE = 0.01, 0.02, 0.05
#: Of all photos in a project: people say a class, or that it is unusable; of the rest nothing is known.
SAID, UNUSABLE = 0.8, 0.03
CLASSES = {"wash": ("foam", "machine", "plain"), "damage": ("none", "dent")}
RULES = [
    {"outcome": "failed", "when": [{"project": "damage", "shots": [], "of": "any", "is": ["dent"]}]},
    {
        "outcome": "passed",
        "when": [
            {"project": "wash", "shots": list(OUTSIDE), "of": "any", "is": ["foam"]},
            {"project": "wash", "shots": list(OUTSIDE), "of": "every", "is": ["plain"], "not": True},
        ],
    },
    {
        "outcome": "passed",
        "when": [
            {"project": "wash", "shots": ["interior-front", "interior-rear"], "of": "any", "is": ["machine"]},
            {"project": "damage", "shots": [], "of": "every", "is": ["none"]},
        ],
    },
]


def picture(dice: np.random.Generator, width: int, height: int, *, dark: bool = False) -> bytes:
    """A JPEG that looks like no other, and as sharp as a photo."""
    coarse = Pillow.fromarray(dice.integers(0, 255, (9, 12, 3), dtype=np.uint8)).resize((width, height))
    grain = dice.integers(-25, 25, (height, width, 1), dtype=np.int16)
    pixels = np.clip((np.asarray(coarse) + grain) // (12 if dark else 1), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", quality=80)
    return file.getvalue()


def body(number: int, dice: np.random.Generator, size: tuple[int, int], told: Counter[str]) -> bytes:
    """A whole call, as a client sends it."""
    said = {
        "external_id": f"W-{number}",
        "asset": {"identifier": f"car {number % 997}", "site": f"site {number % 7}"},
        "event": "wash",
        "photographer": f"person {number % 23}",
    }
    parts: list[tuple[str, str, bytes]] = [("inspection", "", json.dumps(said).encode())]
    for shot in SHOTS:
        lot = dice.random()
        kind = "no_photo" if lot < NO_PHOTO else "dark" if lot < NO_PHOTO + DARK else "good"
        told[kind] += 1
        data = b"none" if kind == "no_photo" else picture(dice, *size, dark=kind == "dark")
        parts.append((shot, f"{shot}.jpg", data))
    lines = []
    for name, file, data in parts:
        named = f'; filename="{file}"' if file else ""
        lines += [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode(),
            data,
            b"\r\n",
        ]
    return b"".join([*lines, f"--{BOUNDARY}--\r\n".encode()])


def written(folder: Path, options: argparse.Namespace) -> Counter[str]:
    """All calls as files, so that no picture is made while the server is measured."""
    told: Counter[str] = Counter()
    for number in range(options.inspections):
        dice = np.random.default_rng([options.seed, number])
        (folder / str(number)).write_bytes(body(number, dice, options.size, told))
    return told


def setting() -> tuple[Member, dict[str, Project]]:
    from labeling.catalog.services import create_project
    from labeling.inspections.services import create_protocol
    from labeling.people.models import User
    from labeling.people.services import make_token

    root = User.objects.create_superuser("root", password=None)
    _row, token = make_token(user=root, name="benchmark")
    projects = {
        slug: create_project(
            slug=slug,
            name=slug,
            question=f"{slug}?",
            by=root,
            audit_rate=0.0,  # whoever is drawn at random waits for people, and none are here
            classes=[{"key": key, "name": key} for key in keys],
        )
        for slug, keys in CLASSES.items()
    }
    create_protocol(
        by=root,
        slug="washes",
        name="Washes",
        rules=RULES,
        shots=[
            {
                "key": key,
                "name": key,
                "required": key != "wheel",
                "min_brightness": 30,
                "checks": ["wash", *(["damage"] if key in OUTSIDE else [])],
            }
            for key in SHOTS
        ],
    )
    return Member(root, token), projects


class Words(threading.Thread):
    """People's words for most photos, as they come in, a few dozen at a time."""

    def __init__(self, projects: dict[str, Project], seed: int) -> None:
        super().__init__()
        self.over = threading.Event()
        self.said = 0
        self.failed: BaseException | None = None
        self._projects, self._dice = projects, random.Random(seed)
        self._reached = dict.fromkeys(projects, 0)

    def run(self) -> None:
        try:
            last = False
            while not last:
                last = self.over.is_set()
                for slug in self._projects:
                    while self._say_some(slug):
                        pass
                time.sleep(0.2)
        except BaseException as error:
            self.failed = error
        finally:
            close_connections()

    def _say_some(self, slug: str) -> bool:
        from django.db import transaction

        from labeling.catalog.models import Item
        from labeling.catalog.selectors import current_guideline
        from labeling.truth.imported import Word, bring_truths

        project = self._projects[slug]
        with transaction.atomic():
            rows = Item.objects.select_for_update(no_key=True).filter(
                project=project, pk__gt=self._reached[slug]
            )
            items = [item.pk for item in rows.order_by("pk")[:60]]
            if not items:
                return False
            self._reached[slug] = items[-1]
            words = [word for item in items if (word := self._word(project, item, Word))]
            bring_truths(project=project, words=words, guideline=current_guideline(project), supersedes={})
        self.said += len(words)
        return True

    def _word(self, project: Project, item: int, make: Any) -> Any:
        lot = self._dice.random()
        if lot < UNUSABLE:
            return make(item, "unusable")
        if lot >= UNUSABLE + SAID:
            return None
        classes = list(project.label_classes.order_by("pk").values_list("pk", flat=True))
        weights = [6, 3, 2] if len(classes) == 3 else [30, 1]
        return make(item, "class", self._dice.choices(classes, weights)[0])


def send(
    url: str, token: str, folder: Path, numbers: list[int], seed: int
) -> tuple[list[float], Counter[str]]:
    """Post these calls one after the other; seconds each took, and answers by status."""
    wire, dice = Wire(url, token, timeout=120), random.Random(seed)
    took, answers = [], Counter[str]()
    for number in numbers:
        payload = (folder / str(number)).read_bytes()
        for _time in range(2 if dice.random() < TWICE else 1):
            began = time.perf_counter()
            status, content = wire.ask("POST", "protocols/washes/inspections", payload, FORM)
            took.append(time.perf_counter() - began)
            answers[str(status)] += 1
            if status not in {200, 201}:
                raise SystemExit(f"inspection {number}: {status} {content[:500]!r}")
    wire.close()
    return took, answers


def measure(options: argparse.Namespace) -> dict[str, Any]:
    with own_database(), tempfile.TemporaryDirectory(prefix="hilltop-calls-") as place:
        made = written(Path(place), options)
        set_up_django()
        root, projects = setting()
        with hilltop(web_workers=2) as target:
            words = Words(projects, options.seed)
            words.start()
            began = time.perf_counter()
            with ThreadPoolExecutor(options.senders) as pool:
                numbers = list(range(options.inspections))
                parts = [numbers[n :: options.senders] for n in range(options.senders)]
                sent = [
                    pool.submit(send, target.url, root.token, Path(place), part, seed)
                    for seed, part in enumerate(parts)
                ]
                done = [each.result() for each in sent]
            seconds = time.perf_counter() - began
            words.over.set()
            words.join()
            if words.failed:
                raise words.failed
            settled = until_looked_at(options.patience)
        result = check(os.environ["DATABASE_URL"])
        close_connections()
    calls = sorted(each for took, _answers in done for each in took)
    answers = sum((answers for _took, answers in done), Counter())
    return {
        "inspections": result.inspections,
        "per_s": round(options.inspections / seconds, 2),
        "call_s_median": round(statistics.median(calls), 3),
        "call_s_p95": round(calls[int(0.95 * (len(calls) - 1))], 3),
        "verdict_s_median": round(statistics.median(result.first_s), 2),
        "verdict_s_p95": round(sorted(result.first_s)[int(0.95 * (len(result.first_s) - 1))], 2),
        "looked_at_all_s": round(settled, 1),
        "wrong": len(result.wrong),
        "passed_on_unknown": len(result.passed_on_unknown),
        "without_verdict_or_reason": len(result.without),
        "such_as": (result.wrong + result.passed_on_unknown + result.without)[:5],
        "outcomes": dict(result.outcomes),
        "verdicts": result.verdicts,
        "answers": dict(answers),
        "photos": dict(made),
        "refused_photos": result.refused,
        "words": words.said,
        "cores": os.cpu_count(),
        "size": options.size,
        "n": options.inspections,
        "seeds": [options.seed],
        "how": "own server, two web processes, one worker that embeds meanwhile; all on this machine",
    }


def until_looked_at(patience: float) -> float:
    """Seconds until no inspection waits for a look."""
    from labeling.inspections.models import Inspection

    began = time.monotonic()
    while Inspection.objects.filter(look_wanted_at__isnull=False).exists():
        if time.monotonic() - began > patience:
            break  # whoever waits is counted as wrong, or as without a verdict
        time.sleep(0.2)
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inspections", description=__doc__)
    parser.add_argument("--inspections", type=int, default=10_000)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), help="pixels of a photo")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds for the last looks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.inspections, options.size = 60, (320, 240)
    options.size = tuple(options.size)
    result = measure(options)
    print(json.dumps(result))
    if result["wrong"] or result["passed_on_unknown"] or result["without_verdict_or_reason"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
