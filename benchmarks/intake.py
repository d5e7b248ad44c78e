"""Thousands of photos come in as one zip while people label: is every file accounted for, how fast, and who feels it?

The archive is made of real photos, each with a comment of its own so that no two are the same. One file in a hundred is
no photo, and some names are Korean, decomposed, or in an old code page. A worker takes it in, embedding what is there
beside it as always, while labelers go on answering in another project.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import statistics
import threading
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image as Pillow

from benchmarks.bench_project import CLASSES, Member, close_connections, set_up_django
from benchmarks.in_bucket import bucket
from benchmarks.queue import Phase, fill, label
from benchmarks.running import hilltop, own_database
from labeling.catalog.elpv import elpv_cells

if TYPE_CHECKING:
    from labeling.jobs.models import Job

#: Different pictures; each is sent many times over, with another comment.
PICTURES = 64
REFUSED_EVERY = 100
POOL = 5_000
THINK_S = 0.5


def photos(count: int) -> Iterator[tuple[str, bytes]]:
    """Names (composed, as they should be kept) and files."""
    pictures = []
    for cell in elpv_cells()[:PICTURES]:
        buffer = io.BytesIO()
        Pillow.open(cell.path).convert("L").save(buffer, "JPEG", quality=90)
        pictures.append(buffer.getvalue())
    for number in range(count):
        folder = ("line 1", "검사 17", "2호기/앞면")[number % 3]
        if number % REFUSED_EVERY == REFUSED_EVERY - 1:
            yield f"{folder}/{number:06}.jpg", b"bring milk" if number % 200 < 100 else b""
            continue
        picture, comment = pictures[number % PICTURES], str(number).encode()
        marked = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        yield f"{folder}/{number:06}.jpg", picture[:2] + marked + picture[2:]


def pack(place: Path, count: int) -> set[str]:
    """Write the archive; return the names that should be kept."""
    names = set()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
        for number, (name, data) in enumerate(photos(count)):
            archive.writestr(unicodedata.normalize("NFD", name) if number % 2 else name, data)
            names.add(name)
    return names


class Watch:
    """How far the job was at which time, looked at until it is over."""

    def __init__(self, job: Job) -> None:
        self.seen: list[tuple[float, int]] = []
        self.over = threading.Event()
        self._job = job
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def took(self, first: int, last: int) -> float:
        """Seconds from the ``first`` file dealt with to the ``last``."""
        return self._when(last) - self._when(first)

    def _when(self, done: int) -> float:
        before = (self.seen[0][0], 0)
        for at, so_far in self.seen:
            if so_far >= done:
                share = (done - before[1]) / max(1, so_far - before[1])
                return before[0] + share * (at - before[0])
            before = (at, so_far)
        return self.seen[-1][0]

    def _look(self) -> None:
        from django.db import connection

        try:
            while True:
                self._job.refresh_from_db()
                if self._job.started_at is not None and (not self.seen or self._job.done > self.seen[-1][1]):
                    self.seen.append((time.monotonic(), self._job.done))
                if not self._job.is_live:
                    return
                time.sleep(0.2)
        finally:
            self.over.set()
            connection.close()


def label_until(over: threading.Event, url: str, people: list[Member]) -> Phase:
    """Let everybody answer, a few photos at a time, until something is over."""
    whole = Phase()
    while not over.is_set():
        some = label(url, people, answers=5, think_s=THINK_S)
        whole.claims += some.claims
        whole.submits += some.submits
    return whole


def p95(phase: Phase) -> float:
    """Of a claim and the answer to it, together, in milliseconds."""
    both = sorted(claim + submit for claim, submit in zip(phase.claims, phase.submits, strict=True))
    return both[min(len(both) - 1, int(len(both) * 0.95))]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    with own_database() as folder, bucket(options.bucket) as requests:
        set_up_django()
        from django.core.files import File
        from django.db import connection

        from labeling.catalog.models import IntakeFile, IntakeOutcome
        from labeling.catalog.services import create_project, start_intake

        _answers, people = fill(POOL, options.labelers)
        admin = create_admin()
        project = create_project(
            slug="taken-in", name="Taken in", question="Is this cell defective?", classes=CLASSES, by=admin
        )
        began = time.monotonic()
        names = pack(folder / "photos.zip", options.photos)
        print(f"{len(names):,} files packed in {time.monotonic() - began:.1f} s", flush=True)
        connection.close()
        with hilltop(web_workers=2, workers=1) as target:
            label(target.url, people, answers=5, think_s=0.05)  # warms connections, caches and plans
            alone = label(target.url, people, answers=options.answers, think_s=THINK_S)
            with (folder / "photos.zip").open("rb") as packed:
                batch, job = start_intake(
                    project=project, by=admin, kind="zip", zip=File(packed, name="photos.zip")
                )
            watch = Watch(job)
            asked = requests()
            beside = label_until(watch.over, target.url, people)
            watch.join()
            asked = requests() - asked
        job.refresh_from_db()
        if job.state != "succeeded":
            raise SystemExit(f"the intake {job.state}: {job.error}")
        rows = dict(IntakeFile.objects.filter(batch=batch).values_list("name", "outcome"))
        outcomes = list(IntakeFile.objects.filter(batch=batch).values_list("outcome", flat=True))
        refused = outcomes.count(IntakeOutcome.REFUSED)
        taken = outcomes.count(IntakeOutcome.ADDED) + outcomes.count(IntakeOutcome.DUPLICATE)
        close_connections()
    count = len(names)
    tenth = max(1, count // 10)
    seconds = watch.took(0, count)
    return {
        "listed": len(outcomes),
        "taken": taken,
        "refused": refused,
        "lost": max(
            len(names - rows.keys()), count - taken - refused - outcomes.count(IntakeOutcome.PENDING)
        ),
        "requests_a_photo": round(asked / count, 2),
        "photos_per_s": round(count / seconds, 1),
        "last_tenth_of_first": round(watch.took(0, tenth) / max(0.001, watch.took(count - tenth, count)), 3),
        "labeling_p95_ratio": round(p95(beside) / p95(alone), 2),
        "seconds": round(seconds, 1),
        "labeling_p95_ms": {"alone": round(p95(alone), 1), "beside": round(p95(beside), 1)},
        "labeling_median_ms": {
            name: round(statistics.median(phase.claims) + statistics.median(phase.submits), 1)
            for name, phase in (("alone", alone), ("beside", beside))
        },
        "n": count,
        "answers": {"alone": len(alone.claims), "beside": len(beside.claims)},
        "device": f"{os.cpu_count()} cores, {platform.machine()}, server, clients and database on them",
        "how": "one zip, listed to its last file; a worker that embeds beside it; labelers who think half a second",
    }


def create_admin() -> Any:
    from labeling.people.models import User

    return User.objects.create_superuser("intake-admin", password=None)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--labelers", type=int, default=4)
    parser.add_argument("--answers", type=int, default=30, help="of each labeler before the intake")
    parser.add_argument(
        "--bucket", action="store_true", help="into a bucket of moto's server, on the same cores"
    )
    parser.add_argument("--quick", action="store_true", help="2,100 photos, 8 answers")
    options = parser.parse_args(arguments)
    if options.quick:
        options.photos, options.answers = 2_100, 8
    print(json.dumps(measure(options)))


if __name__ == "__main__":
    main()
