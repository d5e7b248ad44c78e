"""From stored embeddings to ranked queue rows: many projects' new champions on one large pool, in one job.

A labeler claims and answers over HTTP in one of the projects all the while. The real web server, worker and database
run; what is timed is the job, from its start to its end. Embeddings are random numbers of low rank, one set of photos
serves all projects, and each project has a champion of its own that has not scored anything yet.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import statistics
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.bench_project import SLUG, Member, close_connections, make_project, set_up_django
from benchmarks.running import hilltop, own_database
from benchmarks.wire import Wire

if TYPE_CHECKING:
    from labeling.catalog.models import Project

BACKBONE = hashlib.sha256(b"a backbone for a benchmark").hexdigest()
RANK = 64
BLOCK = 50_000

#: What makes ten million rows slow to load, and is not what is measured here.
_IMAGES = """
INSERT INTO catalog_image (sha256, format, width, height, size, rendered, fingerprint_parts, created_at)
SELECT encode(sha256(number::text::bytea), 'hex'), 'PNG', 300, 300, 40000, 32767, '{}', now()
FROM generate_series(1, %s) number
"""
_ITEMS = """
INSERT INTO catalog_item (project_id, image_id, source, name, random_key, added_at)
SELECT %s, id, 'benchmark', '', random(), now() FROM catalog_image ORDER BY id
"""
_ARRIVED = """
INSERT INTO queue_entry (ranking_id, item_id, band, position, draw, round, taken, free, late)
SELECT %s, id, 0, row_number() OVER (ORDER BY random_key), 'rank', 1, 0, 2, false
FROM catalog_item WHERE project_id = %s
"""


def fill(images: int, heads: int, dims: int, dtype: str) -> tuple[list[Project], Member]:
    """Photos as rows, projects with champions, and embeddings; return the projects and a labeler of the first."""
    from django.db import connection, transaction

    from labeling.catalog.services import create_project
    from labeling.database.partitions import Partition
    from labeling.queue.models import Ranking

    first, admin, (person,) = make_project(labelers=1, min_view_ms=0, gold_rate=0.0)
    classes = [
        {"key": "yes", "name": "Yes", "criteria": "It is."},
        {"key": "no", "name": "No", "criteria": "Not."},
    ]
    projects = [first] + [
        create_project(
            slug=f"{SLUG}-{number}",
            name=f"Question {number}",
            question="Is it?",
            classes=classes,
            by=admin.user,
        )
        for number in range(1, heads)
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        # References are right by construction; the indexes that are filled at random are built afterwards.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'catalog_item' AND "
            "(indexdef LIKE ANY(%s) OR indexname = 'item_next_audit')",
            [["%(image_id)", "% gin %"]],
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute(_IMAGES, [images])
        for project in projects:
            cursor.execute(_ITEMS, [project.pk])
        for _name, definition in indexes:
            cursor.execute(definition)
    print(f"{images:,} photos in {heads} projects", flush=True)
    with transaction.atomic(), connection.cursor() as cursor:
        ranking = Ranking.objects.create(project=first, number=0, strategy="arrival", bands=1, current=True)
        room = Partition("queue_entry", "ranking_id", ranking.pk)
        room.create()
        room.attach()
        cursor.execute(_ARRIVED, [ranking.pk, first.pk])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    for number, project in enumerate(projects):
        _champion(project, dims, number)
    _embed(images, dims, dtype)
    return projects, person


def _champion(project: Project, dims: int, seed: int) -> None:
    from django.conf import settings

    from inference.artifacts import save_head
    from inference.heads import LogisticHead
    from labeling.learning.models import ModelVersion, Promotion, Snapshot

    classes = list(project.label_classes.order_by("id"))
    dice = np.random.default_rng(seed)
    head = LogisticHead.from_arrays(
        {
            "coef": dice.normal(size=(len(classes), dims)) / np.sqrt(dims),
            "intercept": np.zeros(len(classes)),
            "temperature": np.ones(1),
            "strength": np.ones(1),
        },
        [each.key for each in classes],
    )
    relative = f"{project.slug}/{uuid.uuid4()}"
    manifest = save_head(
        Path(settings.MODELS_DIR) / relative, head, {"backbone_hash": BACKBONE, "seed": seed}
    )
    snapshot = Snapshot.objects.create(
        project=project, guideline=project.guidelines.get(), ground_truth_ids=[], digest="0" * 64, counts={}
    )
    version = ModelVersion.objects.create(
        project=project, number=1, snapshot=snapshot, backbone="random", backbone_hash=BACKBONE,
        classes=[each.pk for each in classes], artifact=relative, manifest=manifest, metrics={},
    )  # fmt: skip
    Promotion.objects.create(project=project, model_version=version)


def _embed(images: int, dims: int, dtype: str) -> None:
    from django.conf import settings

    from inference.store import EmbeddingStore

    store = EmbeddingStore(Path(settings.EMBEDDINGS_DIR), BACKBONE, dims, dtype=dtype)  # type: ignore[arg-type]
    dice = np.random.default_rng(0)
    basis = dice.standard_normal((RANK, dims), dtype=np.float32) / np.float32(np.sqrt(RANK))
    for start in range(0, images, BLOCK):
        stop = min(start + BLOCK, images)
        keys = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(start + 1, stop + 1)]
        store.append(keys, dice.standard_normal((stop - start, RANK), dtype=np.float32) @ basis)


class Labeler(threading.Thread):
    """Claims and answers in the first project until told to stop."""

    def __init__(self, url: str, person: Member, think_s: float) -> None:
        super().__init__(daemon=True)
        self.claims: list[float] = []
        self.submits: list[float] = []
        self.failures: list[str] = []
        self.done = threading.Event()
        self._wire = Wire(url, person.token)
        self._think_s = think_s

    def run(self) -> None:
        dice = random.Random(0)
        while not self.done.wait(dice.uniform(0.5, 1.5) * self._think_s):
            try:
                self._answer_one()
            except Exception as error:  # told at the end: a labeler who cannot go on is a result
                self.failures.append(str(error))
        self._wire.close()

    def _answer_one(self) -> None:
        status, claimed, took = self._wire.post(f"projects/{SLUG}/claims", {"count": 1})
        if status != 200 or not claimed["tasks"]:
            raise RuntimeError(f"claim: {status} {claimed}")
        self.claims.append(took)
        answer = {
            "key": str(uuid.uuid4()), "lease": claimed["tasks"][0]["lease"], "kind": "class", "class": "functional",
            "view_ms": 1500,
        }  # fmt: skip
        status, said, took = self._wire.post(f"projects/{SLUG}/annotations", answer)
        if status != 201:
            raise RuntimeError(f"submit: {status} {said}")
        self.submits.append(took)


def p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    with own_database():
        set_up_django()
        from django.db import connection

        from labeling.jobs.models import Job
        from labeling.queue.services import request_rescoring

        began = time.monotonic()
        projects, person = fill(options.images, options.heads, options.dims, options.dtype)
        set_up = time.monotonic() - began
        print(f"set up in {set_up:.0f} s", flush=True)
        connection.close()
        with hilltop(web_workers=options.web_workers, workers=1) as target:
            labeler = Labeler(target.url, person, options.think_ms / 1000)
            labeler.start()
            time.sleep(3)
            calm = list(labeler.claims)
            labeler.claims.clear()
            labeler.submits.clear()
            job = request_rescoring(projects=projects)
            while job.is_live:
                time.sleep(0.25)
                job = Job.objects.get(pk=job.pk)
            claims, submits = list(labeler.claims), list(labeler.submits)
            labeler.done.set()
            labeler.join(20)
        if job.result is None or job.started_at is None or job.finished_at is None:
            raise SystemExit(f"the job {job.state}: {job.error}\n{job.trace}")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM queue_ranking r JOIN queue_entry e ON e.ranking_id = r.id "
                "WHERE r.current AND r.model_version_id IS NOT NULL"
            )
            ranked = int(cursor.fetchone()[0])
            cursor.execute("SELECT count(*) FROM learning_score")
            scores = int(cursor.fetchone()[0])
        close_connections()
    if labeler.failures:
        print(f"{len(labeler.failures)} failures, the first: {labeler.failures[0]}", flush=True)
    return {
        "seconds": round((job.finished_at - job.started_at).total_seconds(), 2),
        "images": options.images,
        "heads": options.heads,
        "ranked_rows": ranked,
        "scored_rows": scores,
        "stages": job.result["seconds"],
        "claim_median_ms": round(statistics.median(claims), 2),
        "claim_p99_ms": round(p99(claims), 2),
        "claim_max_ms": round(max(claims), 2),
        "submit_median_ms": round(statistics.median(submits), 2),
        "submit_p99_ms": round(p99(submits), 2),
        "claim_median_ms_before": round(statistics.median(calm), 2) if calm else None,
        "claims": len(claims),
        "failed_claims": len(labeler.failures),
        "dims": options.dims,
        "dtype": options.dtype,
        "n": options.images * options.heads,
        "set_up_seconds": round(set_up, 1),
        "device": f"{os.cpu_count()} cores, {platform.machine()}, server, labeler, worker and database on them",
        "how": "one job in the real worker; all photos open, two classes a head, nothing scored before",
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--heads", type=int, default=10, help="projects, each with a champion")
    parser.add_argument("--dims", type=int, default=1_488, help="length of an embedding")
    parser.add_argument("--dtype", choices=["float32", "float16"], default="float32", help="as stored")
    parser.add_argument("--think-ms", type=int, default=150, help="mean pause of the labeler")
    parser.add_argument("--web-workers", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="50,000 images, 4 heads")
    options = parser.parse_args(arguments)
    if options.quick:
        options.images, options.heads = 50_000, 4
    print(json.dumps(measure(options)))


if __name__ == "__main__":
    main()
