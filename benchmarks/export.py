"""What an export of ground truths costs through HTTP: when its first byte comes, how fast, and what it holds in memory.

Photos, two answers to each and the ground truth that they made are rows, of a small and a large project. The real web server
sends each project's file in both formats; one that reads everything first would hold ten times as much of the large one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.bench_project import SLUG, Member, close_connections, make_project, set_up_django
from benchmarks.running import Target, hilltop, own_database

FORMATS = ("csv", "jsonl")
_STATEMENTS = (
    """
    INSERT INTO catalog_image (sha256, format, width, height, size, rendered, fingerprint_parts, created_at)
    SELECT encode(sha256(number::text::bytea), 'hex'), 'PNG', 300, 300, 40000, 32767, '{}', now()
    FROM generate_series(1, %(photos)s) number
    """,
    """
    INSERT INTO catalog_item (project_id, image_id, source, name, random_key, added_at)
    SELECT %(project)s, id, 'benchmark', 'photo ' || id, random(), now() FROM catalog_image ORDER BY id
    """,
    """
    INSERT INTO truth_annotation (project_id, item_id, round, labeler_id, key, kind, label_class_id, reason, comment,
                                  checklist, guideline_id, draw, context, view_ms, created_at)
    SELECT %(project)s, i.id, 1, labeler, gen_random_uuid(), 'class', %(class)s, '', '', '[]', %(guideline)s, 'rank', '{}',
           1500, now()
    FROM catalog_item i, unnest(%(people)s::bigint[]) labeler
    """,
    """
    INSERT INTO truth_groundtruth (project_id, item_id, kind, label_class_id, origin, draw, guideline_id, created_at)
    SELECT %(project)s, id, 'class', %(class)s, 'agreement', 'rank', %(guideline)s, now() FROM catalog_item ORDER BY id
    """,
)


def fill(photos: int) -> Member:
    """Settled photos as rows; return the project's admin."""
    from django.db import connection, transaction

    project, admin, people = make_project(labelers=2)
    given: dict[str, Any] = {
        "photos": photos,
        "project": project.pk,
        "people": [person.user.pk for person in people],
        "class": project.label_classes.order_by("id")[:1].get().pk,
        "guideline": project.guidelines.get().pk,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        # No count is read here, and a trigger's run for each of a million rows takes minutes.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in _STATEMENTS:
            cursor.execute(statement, given)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return admin


def download(target: Target, admin: Member, format: str) -> dict[str, float]:
    server = _web_process(target.supervisor)
    before = _peak_mb(server, afresh=True)
    address = f"{target.url}/api/v1/projects/{SLUG}/export/ground-truths.{format}"
    lines, size, first = 0, 0, 0.0
    began = time.perf_counter()
    headers = {"Authorization": f"Token {admin.token}", "Accept-Encoding": "identity"}
    with httpx.stream("GET", address, headers=headers, timeout=600) as response:
        response.raise_for_status()
        for piece in response.iter_raw():
            first = first or time.perf_counter() - began
            lines += piece.count(b"\n")
            size += len(piece)
    seconds = time.perf_counter() - began
    return {
        "rows": lines - (format == "csv"),
        "first_byte_s": round(first, 3),
        "seconds": round(seconds, 2),
        "rows_per_s": round(lines / seconds),
        "mb": round(size / 2**20, 1),
        "peak_mb": round(_peak_mb(server) - before, 1),
    }


def _web_process(supervisor: int) -> int:
    """The one web worker: the child of the server that the supervisor started."""
    children: dict[int, list[int]] = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = each.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(each.parent.name))
    (master,) = [
        child for child in children[supervisor] if b"granian" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    return max(children[master], key=lambda child: _status(child, "VmRSS"))


def _peak_mb(process: int, *, afresh: bool = False) -> float:
    """The most that it ever held; ``afresh``: what it holds, from which the peak is measured from now on."""
    if afresh:
        Path(f"/proc/{process}/clear_refs").write_text("5")
    return _status(process, "VmHWM") / 1024


def _status(process: int, name: str) -> int:
    told = Path(f"/proc/{process}/status").read_text()
    return next((int(line.split()[1]) for line in told.splitlines() if line.startswith(f"{name}:")), 0)


def measure(photos: int) -> dict[str, dict[str, float]]:
    with own_database():
        set_up_django()
        from django.db import connection

        began = time.monotonic()
        admin = fill(photos)
        print(f"{photos:,} ground truths in {time.monotonic() - began:.0f} s", flush=True)
        connection.close()
        with hilltop(web_workers=1, workers=1) as target:
            found = {format: download(target, admin, format) for format in FORMATS}
        close_connections()
    print(json.dumps(found), flush=True)
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ground-truths", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="20,000 beside 5,000")
    options = parser.parse_args(arguments)
    if options.quick:
        options.ground_truths, options.small = 20_000, 5_000
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    def apart(photos: int) -> dict[str, dict[str, float]]:
        with ProcessPoolExecutor(
            1, mp_context=get_context("spawn")
        ) as process:  # Django knows one database a process
            return process.submit(measure, photos).result()

    small, large = apart(options.small), apart(options.ground_truths)
    told = {
        "ground_truths": options.ground_truths,
        "small": options.small,
        "n": options.ground_truths,
        "formats": large,
        "formats_small": small,
        "device": f"{os.cpu_count()} cores, {platform.machine()}, server, reader and database on them",
        "how": "HTTP from one reader; peak_mb: of the web process above what it held before",
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
