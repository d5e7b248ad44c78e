"""Hilltop beside Label Studio: import, next, submit, list and export, in turns, one of each after the other.

Both hold ``--tasks`` photos, half of them with two answers each, each in a PostgreSQL 18 of its own with the same settings.
Label Studio comes from its package into an environment of its own (minutes and 1 GB, unless ``--environment`` names one).

What is not alike: Hilltop decodes, checks and stores each photo in renditions before it can be labeled, and compares it
with all others, where Label Studio keeps the file. Hilltop settles a photo with its second answer, and exports answers with
all that led to them. Hilltop runs as ``manage.py serve`` does, Label Studio as ``label-studio start`` does. One request is
under way at a time, so neither is asked to be concurrent.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench_project import set_up_django
from benchmarks.peer.hilltop import Filled, Hilltop
from benchmarks.peer.label_studio import VERSION, LabelStudio, database, environment, label_studio
from benchmarks.running import free_port, hilltop, own_database
from labeling.catalog.elpv import elpv_folder

#: Photos of one upload.
A_BATCH = 100
#: What is better where it is higher.
RATES = {"import_per_s"}


def told(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    with own_database() as folder:
        command = environment(options.environment or folder / "environment")
        set_up_django()
        filled = Filled(options.tasks)
        told(f"Hilltop: {options.tasks:,} tasks as rows in {filled.filled_s:.0f} s")
        studio = folder / "label-studio"
        with (
            database(command.with_name("python"), folder / "label-studio-postgres") as address,
            label_studio(command, studio, address, free_port()) as client,
        ):
            theirs = LabelStudio(client, options.tasks)
            told(f"Label Studio: {options.tasks:,} tasks by reference in {theirs.filled_s:.0f} s")
            with hilltop() as target:
                ours = Hilltop(target.url, filled)
                found = in_turns(ours, theirs, options)
                ours.close()
    hilltop_says, studio_says = (summed_up(found[side]) for side in ("hilltop", "label_studio"))
    return {
        "hilltop": hilltop_says,
        "label_studio": studio_says,
        "ratio": {
            name: round(value / studio_says[name] if name in RATES else studio_says[name] / value, 1)
            for name, value in hilltop_says.items()
        },
        "spread": {side: spread(found[side]) for side in found},
        "tasks": options.tasks,
        "answers": options.tasks // 2 * 2,
        "n": {name: len(values) for name, values in found["hilltop"].items() if name != "bytes"},
        "photos_imported": len(found["hilltop"]["import"]) * A_BATCH,
        "exports_given_up": {side: values["bytes"].count(0) for side, values in found.items()},
        "bytes_exported": {side: found[side]["bytes"][0] for side in found},
        "versions": {"label_studio": f"{VERSION} (Apache-2.0)"},
        "database": "PostgreSQL 18 for both, a server each with the same settings, fsync on",
        "device": f"{os.cpu_count()} cores, {platform.machine()}; servers, database and client on them",
        "load": [round(each, 1) for each in os.getloadavg()],
        "how": "medians over HTTP with tokens and kept-alive connections, in turns, one request at a time. import: uploads "
        f"of {A_BATCH} photos until they can be labeled; list: 100 tasks from a random place; export: all answers, as JSON",
    }


def in_turns(
    ours: Hilltop, theirs: LabelStudio, options: argparse.Namespace
) -> dict[str, dict[str, list[float]]]:
    """Side -> what -> seconds of each time (bytes of each export)."""
    dice = random.Random(0)
    found: dict[str, dict[str, list[float]]] = {side: {} for side in ("hilltop", "label_studio")}

    def note(side: str, what: str, value: float) -> None:
        found[side].setdefault(what, []).append(value)

    batches = _batches(sorted(elpv_folder().rglob("*.png")))
    sides: list[tuple[str, Any]] = [("hilltop", ours), ("label_studio", theirs)]
    for turn in range(-options.warm_up, options.rounds):
        for side, at in sides if turn % 2 else sides[::-1]:
            handle, next_s = at.next()
            submit_s = at.submit(handle, "functional" if dice.random() < 0.95 else "defective")
            page_s = at.page(dice.random())
            if turn >= 0:
                for what, took in (("next", next_s), ("submit", submit_s), ("list", page_s)):
                    note(side, what, took)
    told("labeled and listed")
    for turn, photos in zip(range(options.uploads), batches, strict=False):
        for side, at in sides if turn % 2 else sides[::-1]:
            note(side, "import", at.take_in(photos))
            ours.settle()
    told("imported")
    for turn in range(options.exports):
        for side, at in sides if turn % 2 else sides[::-1]:
            size, took = at.export(options.export_most)
            note(side, "export", took)
            note(side, "bytes", size)
    return found


def _batches(photos: list[Path]) -> Iterator[list[Path]]:
    """Each photo once: what is known already comes in faster."""
    for first in range(0, len(photos) - A_BATCH + 1, A_BATCH):
        yield photos[first : first + A_BATCH]


def summed_up(found: dict[str, list[float]]) -> dict[str, float]:
    middle = {what: statistics.median(values) for what, values in found.items()}
    return {
        "import_per_s": round(A_BATCH / middle["import"], 1),
        **{f"{what}_ms": round(middle[what] * 1000, 1) for what in ("next", "submit", "list")},
        "export_s": round(middle["export"], 2),
    }


def spread(found: dict[str, list[float]]) -> dict[str, list[float]]:
    """The quartiles of each, in milliseconds."""
    return {
        what: [round(each * 1000, 1) for each in statistics.quantiles(values, n=4)]
        for what, values in found.items()
        if what != "bytes" and len(values) > 1
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=100, help="of next, submit and list, on each side")
    parser.add_argument("--warm-up", type=int, default=10, help="rounds that do not count")
    parser.add_argument("--uploads", type=int, default=10, help=f"of {A_BATCH} photos each")
    parser.add_argument("--exports", type=int, default=3)
    parser.add_argument(
        "--export-most", type=float, default=900.0, help="seconds after which an export is given up"
    )
    parser.add_argument("--environment", type=Path, help="a folder that keeps Label Studio for the next run")
    parser.add_argument("--quick", action="store_true", help="2,000 tasks, 20 rounds, 1 upload, 1 export")
    options = parser.parse_args(arguments)
    if options.quick:
        options.tasks, options.rounds, options.warm_up, options.uploads, options.exports = 2_000, 20, 3, 1, 1
    began = time.monotonic()
    result = measure(options)
    told(f"{time.monotonic() - began:.0f} s in all")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
