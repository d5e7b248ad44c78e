"""What a claim and a submit cost through HTTP, with a large pool and several labelers at once.

Labelers think for a moment between answers (``--think-ms``), four times faster than people do; then the same
without any pause, for the throughput of a saturated server: with a claim before each answer, and as the labeling screen
does it, which holds some photos and has its answers bring the next ones.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.bench_project import SLUG, Member, close_connections, make_project, set_up_django
from benchmarks.running import hilltop, own_database
from benchmarks.wire import Wire

GOLD = 30
#: Photos that a labeler holds who does as the labeling screen does; it asks along with an answer when they run out.
HELD = 4
BANDS = 5
#: Ranked photos lie in two ladders and five bands; the first GOLD photos are gold and not ranked.
_IMAGES = """
INSERT INTO catalog_image (sha256, format, width, height, size, rendered, fingerprint_parts, created_at)
SELECT encode(sha256(number::text::bytea), 'hex'), 'PNG', 300, 300, 40000, 32767, '{}', now()
FROM generate_series(1, %s) number
"""
_ITEMS = """
INSERT INTO catalog_item (project_id, image_id, source, name, random_key, added_at)
SELECT %s, id, 'benchmark', 'photo ' || id, random(), now() FROM catalog_image ORDER BY id
"""
_ENTRIES = """
INSERT INTO queue_entry (ranking_id, item_id, ladder_id, band, position, confidence, draw, round, taken, free, late)
SELECT %s, id, (%s::bigint[])[1 + n %% 2], n * %s / total, n, 1 - n::float / total, 'rank', 1, 0, 2, false
FROM (SELECT item.id, row_number() OVER (ORDER BY item.random_key) - 1 AS n, count(*) OVER () AS total
      FROM catalog_item item LEFT JOIN truth_gold gold ON gold.item_id = item.id
      WHERE item.project_id = %s AND gold.id IS NULL) ranked
"""
_DOUBLE = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM queue_slot WHERE number IS NOT NULL
                              GROUP BY item_id, round, number HAVING count(*) > 1) twice_lent)
     + (SELECT count(*) FROM (SELECT 1 FROM queue_slot GROUP BY item_id, round, holder_id HAVING count(*) > 1) again)
     + (SELECT count(*) FROM (SELECT 1 FROM truth_annotation GROUP BY item_id, round, labeler_id
                              HAVING count(*) > 1) answered_again)
     + (SELECT count(*) FROM (SELECT 1 FROM truth_annotation WHERE draw <> 'gold' GROUP BY item_id, round
                              HAVING count(*) > %s) too_many)
"""


@dataclass
class Phase:
    """What the labelers measured between a start and an end."""

    claims: list[float] = field(default_factory=list)
    submits: list[float] = field(default_factory=list)
    leases: dict[str, str] = field(default_factory=dict)
    lent_to_two: int = 0
    seconds: float = 0.0


def fill(images: int, labelers: int) -> tuple[int, list[Member]]:
    """Rows for a ranked pool; return the project's number of answers an image, and the labelers."""
    from django.db import connection

    from labeling.catalog.models import Item
    from labeling.queue.models import Ranking
    from labeling.truth.services import add_gold

    project, admin, people = make_project(labelers=labelers, min_view_ms=0, bands=BANDS)
    with connection.cursor() as cursor:
        cursor.execute(_IMAGES, [images])
        cursor.execute(_ITEMS, [project.pk])
    for item in Item.objects.filter(project=project).order_by("id")[:GOLD]:
        add_gold(project=project, item=item, class_key="functional", by=admin.user)
    Ranking.objects.filter(project=project).update(current=False)
    ranking = Ranking.objects.create(
        project=project, number=1_000, strategy="inward", bands=BANDS, current=True, summary={}
    )
    classes = list(project.label_classes.order_by("id").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [ranking.pk, classes, BANDS, project.pk])
        cursor.execute("ANALYZE")
    return project.answers_per_image, people


def label(url: str, people: list[Member], *, answers: int, think_s: float) -> Phase:
    """Let everybody answer ``answers`` photos at once."""
    return _everybody(url, people, _one_at_a_time, answers, think_s)


def label_on(url: str, people: list[Member], *, answers: int) -> Phase:
    """The same without a pause, where an answer brings the next photos."""
    return _everybody(url, people, _going_on, answers, 0)


Work = Callable[[Wire, random.Random, Phase, int, float], Iterator[str]]


def _one_at_a_time(
    wire: Wire, dice: random.Random, phase: Phase, answers: int, think_s: float
) -> Iterator[str]:
    for _ in range(answers):
        if think_s:
            time.sleep(dice.uniform(0.5, 1.5) * think_s)
        (lease,) = _claim(wire, phase, 1)
        yield lease
        _answer(wire, dice, phase, lease)


def _going_on(wire: Wire, dice: random.Random, phase: Phase, answers: int, _think_s: float) -> Iterator[str]:
    held = _claim(wire, phase, HELD)
    for left in range(answers, 0, -1):
        lease = held.pop(0)
        yield lease
        more = {"claim": {"count": min(HELD, left - 1)}} if not held and left > 1 else {}
        said = _answer(wire, dice, phase, lease, **more)
        if more:
            held = [task["lease"] for task in said["claimed"]["tasks"]]


def _claim(wire: Wire, phase: Phase, count: int) -> list[str]:
    status, claimed, took = wire.post(f"projects/{SLUG}/claims", {"count": count})
    if status != 200 or not claimed["tasks"]:
        raise RuntimeError(f"claim: {status} {claimed}")
    phase.claims.append(took)
    return [task["lease"] for task in claimed["tasks"]]


def _answer(wire: Wire, dice: random.Random, phase: Phase, lease: str, **more: Any) -> Any:
    body = {
        "key": str(uuid.uuid4()),
        "lease": lease,
        "kind": "class",
        "class": "functional" if dice.random() < 0.95 else "defective",
        "view_ms": 1500,
    }
    status, said, took = wire.post(f"projects/{SLUG}/annotations", body | more)
    if status != 201:
        raise RuntimeError(f"submit: {status} {said}")
    phase.submits.append(took)
    return said


def _everybody(url: str, people: list[Member], way: Work, answers: int, think_s: float) -> Phase:
    phase = Phase()
    guard = threading.Lock()
    failures: list[BaseException] = []

    def work(number: int, person: Member) -> None:
        wire = Wire(url, person.token)
        try:
            for lease in way(wire, random.Random(number), phase, answers, think_s):
                with guard:
                    name = person.user.username
                    phase.lent_to_two += phase.leases.setdefault(lease, name) != name
        except BaseException as error:
            failures.append(error)
        finally:
            wire.close()

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(people)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    phase.seconds = time.monotonic() - began
    if failures:
        raise SystemExit(f"a labeler could not go on: {failures[0]}")
    return phase


def p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    with own_database():
        set_up_django()
        from django.db import connection

        began = time.monotonic()
        per_image, people = fill(options.images, options.labelers)
        print(f"{options.images:,} photos in {time.monotonic() - began:.1f} s", flush=True)
        connection.close()
        with hilltop(web_workers=options.web_workers, workers=1) as target:
            label(target.url, people, answers=5, think_s=0.05)  # warms connections, caches and plans
            paced = label(target.url, people, answers=options.answers, think_s=options.think_ms / 1000)
            apart = label(target.url, people, answers=options.answers, think_s=0)
            full = label_on(target.url, people, answers=options.answers)
        with connection.cursor() as cursor:
            cursor.execute(_DOUBLE, [per_image])
            double = int(cursor.fetchone()[0]) + sum(each.lent_to_two for each in (paced, apart, full))
        close_connections()
    return {
        "images": options.images,
        "labelers": options.labelers,
        "claim_median_ms": round(statistics.median(paced.claims), 2),
        "claim_p99_ms": round(p99(paced.claims), 2),
        "submit_median_ms": round(statistics.median(paced.submits), 2),
        "submit_p99_ms": round(p99(paced.submits), 2),
        "double_leases": double,
        "n": len(paced.claims),
        "think_ms": options.think_ms,
        "saturated": {
            "answers_per_s": round(len(full.submits) / full.seconds, 1),
            "answer_median_ms": round(statistics.median(full.submits), 2),
            "answer_p99_ms": round(p99(full.submits), 2),
            "apart_answers_per_s": round(len(apart.submits) / apart.seconds, 1),
            "claim_median_ms": round(statistics.median(apart.claims), 2),
            "submit_median_ms": round(statistics.median(apart.submits), 2),
        },
        "web_workers": options.web_workers,
        "device": f"{os.cpu_count()} cores, {platform.machine()}, server, clients and database on them",
        "how": "HTTP with tokens, kept-alive connections, first byte out to last byte in; saturated: no pause, an answer "
        f"brings {HELD} photos when none is at hand; claim and submit there: a claim before each answer (apart)",
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--labelers", type=int, default=8)
    parser.add_argument("--answers", type=int, default=60, help="of each labeler, in each of three phases")
    parser.add_argument("--think-ms", type=int, default=500, help="mean pause before a claim")
    parser.add_argument("--web-workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="20,000 photos, 15 answers each")
    options = parser.parse_args(arguments)
    if options.quick:
        options.images, options.answers = 20_000, 15
    print(json.dumps(measure(options)))


if __name__ == "__main__":
    main()
