"""Are events lost, or out of order, when a receiver fails a third of the time and dies twice, and the worker is killed?

Ground truths of photos come and are withdrawn in turn, so that the order of each photo's events can be told. The receiver
(:mod:`benchmarks.events_receiver`) is a process of its own, that writes down what it takes before it answers; the worker is
the one that people run. Both are killed with SIGKILL in the midst of it. Pauses between attempts are shorter than in
service, or the benchmark would take a day; what is counted is the same.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.bench_project import make_project, set_up_django
from benchmarks.running import free_port, own_database
from config.database import ROOT

#: Events of each photo.
OF_PHOTO = 4
FAILS = 1 / 3
DEAD_S = 2.0
PAUSES = "0.1,0.2,0.5,1,2,4,8,16,32,60"
#: With ``--quick``: so that the last photo's last event does not wait longer than all others took.
SHORT_PAUSES = ",".join(["0.1", "0.2", *["0.5"] * 18])


class Process:
    """One that is killed and started again."""

    def __init__(self, *command: str, log: Path) -> None:
        self._command, self._log, self.killed = command, log, 0
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *self._command], cwd=ROOT, stdout=output, stderr=output
            )

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.killed += 1


def measure(options: argparse.Namespace) -> dict[str, Any]:
    os.environ["HILLTOP_FETCH_NETWORKS"] = "127.0.0.0/8"
    pauses = SHORT_PAUSES if options.quick else PAUSES
    os.environ["HILLTOP_WEBHOOK_PAUSES"] = pauses
    with own_database() as folder:
        set_up_django()
        from labeling.notify.models import Event
        from labeling.notify.services import make_endpoint

        project, admin, _people = make_project(labelers=0, min_view_ms=0, gold_rate=0.0)
        port, taken = free_port(), folder / "taken"
        endpoint, secret = make_endpoint(
            project=project,
            by=admin.user,
            name="benchmark",
            url=f"http://127.0.0.1:{port}/",
            events=["photo.decided", "photo.reopened"],
        )
        receiver = Process(
            "-m",
            "benchmarks.events_receiver",
            str(port),
            str(taken),
            secret,
            str(FAILS),
            log=folder / "receiver.log",
        )
        worker = Process("manage.py", "worker", log=folder / "worker.log")
        began = time.monotonic()
        try:
            _happen(project, options.events)
            sent = Event.objects.count()
            print(f"{sent} events written after {time.monotonic() - began:.1f} s", flush=True)
            for share, dies in ((0.2, receiver), (0.4, worker), (0.6, receiver), (0.8, worker)):
                _until(partial(_has_lines, taken, share * sent), options.seconds, folder)
                dies.kill()
                time.sleep(DEAD_S)
                dies.start()
                print(f"{dies.killed}. kill, {_lines(taken)} taken", flush=True)
            waiting = endpoint.deliveries.filter(state="waiting")
            _until(lambda: not waiting.exists(), options.seconds, folder)
            seconds = time.monotonic() - began
        finally:
            for each in (worker, receiver):
                with contextlib.suppress(ProcessLookupError):
                    each.kill()
        numbers = {event.name: (event.subject, event.pk) for event in Event.objects.all()}
        names = [name for name, _attempt in map(str.split, taken.read_text().splitlines())]
        distinct = list(dict.fromkeys(names))
        return {
            "sent": sent,
            "delivered": len(distinct),
            "lost": len(numbers.keys() - set(distinct)),
            "out_of_order": _out_of_order([numbers[name] for name in distinct]),
            "repeats": len(names) - len(distinct),
            "seconds": round(seconds, 1),
            "given_up": endpoint.deliveries.filter(state="failed").count(),
            "attempts": dict(Counter(map(str, endpoint.deliveries.values_list("attempts", flat=True)))),
            "receiver_fails": round(FAILS, 3),
            "receiver_killed": 2,
            "worker_killed": 2,
            "pauses_s": pauses,
            "n": sent,
            "device": "cpu",
        }


def _happen(project: Any, events: int) -> None:
    """Ground truths of photos, and their withdrawals, many in a statement: what the triggers hear."""
    from labeling.catalog.models import LabelClass
    from labeling.catalog.selectors import current_guideline
    from labeling.truth.models import GroundTruth
    from tests.factories import make_items

    guideline, label_class = current_guideline(project), LabelClass.objects.filter(project=project).first()
    items = make_items(project, -(-events // OF_PHOTO))
    before: list[Any] = [None] * len(items)
    for turn in range(OF_PHOTO):
        stays = turn % 2 == 0
        before = GroundTruth.objects.bulk_create(
            [
                GroundTruth(
                    project=project,
                    item=item,
                    kind="class" if stays else "withdrawn",
                    label_class=label_class if stays else None,
                    origin="agreement" if stays else "withdrawal",
                    guideline=guideline,
                    supersedes=earlier,
                )
                for item, earlier in zip(items, before, strict=True)
            ],
            batch_size=1000,
        )


def _out_of_order(taken: list[tuple[str, int]]) -> int:
    """How many were first taken after a later one of their subject."""
    newest: dict[str, int] = defaultdict(int)
    wrong = 0
    for subject, number in taken:
        wrong += number < newest[subject]
        newest[subject] = max(newest[subject], number)
    return wrong


def _has_lines(file: Path, least: float) -> bool:
    return _lines(file) >= least


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def _until(done: Callable[[], bool], seconds: float, folder: Path) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            logs = "\n".join((folder / name).read_text()[-2000:] for name in ("worker.log", "receiver.log"))
            raise SystemExit(f"It does not go on:\n{logs}")
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=1200, help="for each step, before it is given up")
    parser.add_argument("--quick", action="store_true", help="600 events, and shorter pauses")
    options = parser.parse_args()
    if options.quick:
        options.events = min(options.events, 600)
    print(json.dumps(measure(options)))


if __name__ == "__main__":
    main()
