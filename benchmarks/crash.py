"""Kill -9 of web and job workers under load, round after round: is anything that was acknowledged lost or doubled?

Labelers answer over HTTP all the time. When a request breaks off or fails, they send the same answer with the same
key again, as the browser does. Each round takes photos into a second project (an embedding and a ranking job) and
asks for another ranking, kills web processes (one in odd rounds, all at once in even ones) and the job worker in the
middle of it, and waits until the jobs are through.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import platform
import random
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.bench_project import CLASSES, SLUG, Member, close_connections, make_project, set_up_django
from benchmarks.running import answers, hilltop, own_database
from benchmarks.wire import Wire
from labeling.catalog.elpv import elpv_cells

if TYPE_CHECKING:
    from labeling.catalog.models import Project

LABELERS = 6
PHOTOS_FIRST, PHOTOS_A_ROUND = 60, 30


class Load:
    """Labelers who answer until told to stop. ``acknowledged`` holds the key of every answer that got a 2xx."""

    def __init__(self, url: str, people: list[Member]) -> None:
        self.acknowledged: list[str] = []
        self.sent_again = 0
        self.broken = 0
        self.stop = threading.Event()
        self.surprises: list[str] = []
        self._threads = [threading.Thread(target=self._work, args=(url, person)) for person in people]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, url: str, person: Member) -> None:
        wire = Wire(url, person.token, timeout=10)
        dice = random.Random(person.user.pk)
        while not self.stop.is_set():
            time.sleep(dice.uniform(0.05, 0.25))
            claimed = self._deliver(wire, "claims", {"count": 2})
            if claimed is None or claimed[0] != 200:
                continue
            for task in claimed[1]["tasks"]:
                answer = {
                    "key": str(uuid.uuid4()),
                    "lease": task["lease"],
                    "kind": "class",
                    "class": dice.choice(["functional", "functional", "functional", "defective"]),
                    "view_ms": 900,
                }
                delivered = self._deliver(wire, "annotations", answer)
                if delivered is None:
                    return
                status, said = delivered
                if status in {200, 201}:
                    self.acknowledged.append(answer["key"])
                elif status not in {403, 409}:  # a lease that ran out while the server was away is no loss
                    self.surprises.append(f"{status} {said}")

    def _deliver(self, wire: Wire, path: str, body: dict[str, Any]) -> tuple[int, Any] | None:
        """Send until there is an answer below 500; ``None`` when the load ends first."""
        first = True
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (first or not self.stop.is_set()):
            self.sent_again += not first
            first = False
            try:
                status, said, _took = wire.post(f"projects/{SLUG}/{path}", body)
            except (OSError, http.client.HTTPException):
                self.broken += 1
                time.sleep(0.1)
                continue
            if status < 500:
                return status, said
            time.sleep(0.1)
        return None


def measure(options: argparse.Namespace) -> dict[str, Any]:
    dice = random.Random(options.seed)
    with own_database():
        set_up_django()
        from labeling.catalog.services import create_project
        from labeling.jobs.models import Job
        from labeling.jobs.services import enqueue
        from labeling.truth.models import Annotation

        labeled, admin, people = make_project(labelers=LABELERS, min_view_ms=0, gold_rate=0.0)
        rows_only(labeled, 50_000)
        project = create_project(
            slug="worked-on",
            name="Worked on",
            question="Is this cell defective?",
            classes=CLASSES,
            by=admin.user,
        )
        more_photos(project, 0, PHOTOS_FIRST)
        killed: Counter[str] = Counter()
        slowest = 0.0
        with hilltop(web_workers=2) as target, Load(target.url, people) as load:
            for number in range(1, options.rounds + 1):
                more_photos(project, PHOTOS_FIRST + (number - 1) * PHOTOS_A_ROUND, PHOTOS_A_ROUND)
                job = enqueue(kind="rank", project_id=project.pk, lock=f"project:{project.pk}")
                _until(lambda: Job.objects.filter(pk=job.pk).exclude(state="queued").exists(), 40)
                time.sleep(dice.uniform(0.0, 0.4))
                killed["web"] += _kill(_web_workers, target.supervisor, dice, every=number % 2 == 0)
                killed["worker"] += _kill(_job_workers, target.supervisor, dice)
                began = time.monotonic()
                if not _until(lambda: answers(target.url), 30):
                    raise SystemExit(f"round {number}: the web server did not come back")
                if not _until(lambda: not Job.objects.live().exists(), 120):
                    raise SystemExit(
                        f"round {number}: jobs did not end: {list(Job.objects.live().values('kind', 'state'))}"
                    )
                slowest = max(slowest, time.monotonic() - began)
                print(
                    f"round {number}: {len(load.acknowledged)} answers acknowledged, jobs through after "
                    f"{time.monotonic() - began:.1f} s",
                    flush=True,
                )
        keys = [str(key) for key in Annotation.objects.filter(project=labeled).values_list("key", flat=True)]
        counts = Counter(keys)
        acknowledged = set(load.acknowledged)
        jobs = list(Job.objects.values_list("state", "attempts"))
        result = {
            "rounds": options.rounds,
            "acknowledged": len(load.acknowledged),
            "stored": len(acknowledged & counts.keys()),
            "stored_twice": sum(count > 1 for count in counts.values()),
            "jobs_started": len(jobs),
            "jobs_finished": sum(state == "succeeded" for state, _attempts in jobs),
            "jobs_taken_up_again": sum(attempts > 1 for _state, attempts in jobs),
            "killed": dict(killed),
            "requests_broken_off": load.broken,
            "sent_again": load.sent_again,
            "stored_unacknowledged": len(counts.keys() - acknowledged),
            "unexpected_answers": len(load.surprises),
            "slowest_recovery_s": round(slowest, 1),
            "n": options.rounds,
            "device": f"{os.cpu_count()} cores, {platform.machine()}",
            "how": "kill -9 of one web process (odd rounds) or both (even) and of the job worker, six labelers at work",
        }
        close_connections()
    for surprise in load.surprises[:5]:
        print("unexpected answer:", surprise)
    return result


def more_photos(project: Project, first: int, count: int) -> None:
    """Real photos, which are embedded and ranked."""
    from labeling.catalog.services import add_image, add_items

    cells = elpv_cells()[first : first + count]
    images = [(add_image(data=cell.path.read_bytes())[0], cell.path.name) for cell in cells]
    add_items(project=project, images=images, source="benchmark")


def rows_only(project: Project, count: int) -> None:
    """Photos without bytes, in the order of their arrival, so that the labelers never run out."""
    from django.db import connection

    from labeling.queue.services import append_arrivals

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_image (sha256, format, width, height, size, rendered, fingerprint_parts, created_at) "
            "SELECT encode(sha256(('row ' || number)::bytea), 'hex'), 'PNG', 300, 300, 40000, 32767, '{}', now() "
            "FROM generate_series(1, %s) number RETURNING id",
            [count],
        )
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "INSERT INTO catalog_item (project_id, image_id, source, name, random_key, added_at) "
            "SELECT %s, id, 'benchmark', '', random(), now() FROM unnest(%s::bigint[]) id RETURNING id",
            [project.pk, ids],
        )
        items = [row[0] for row in cursor.fetchall()]
    append_arrivals(project=project, item_ids=items)


def _web_workers(supervisor: int) -> list[psutil.Process]:
    return [process for granian in _children(supervisor, "granian") for process in granian.children()]


def _job_workers(supervisor: int) -> list[psutil.Process]:
    return _children(supervisor, "worker")


def _children(supervisor: int, word: str) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(supervisor).children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            if word in process.cmdline():
                found.append(process)
    return found


def _kill(
    find: Callable[[int], list[psutil.Process]], supervisor: int, dice: random.Random, *, every: bool = False
) -> int:
    if not _until(lambda: find(supervisor), 40):
        raise SystemExit("there is no process to kill: the one of the last round did not come back")
    found = find(supervisor)
    chosen = found if every else [dice.choice(found)]
    for process in chosen:
        os.kill(process.pid, signal.SIGKILL)
    return len(chosen)


def _until(holds: Any, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="2 rounds")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds = 2
    print(json.dumps(measure(options)))


if __name__ == "__main__":
    main()
