"""How fast a data set comes out in each format and in again, whether memory stays flat, and whether it is the same then.

Labels of a made-up project, each with a stored photo of ``--bytes``. Each format is written into a file in a process of its
own, from the database and the storage, without a web server: a tenth of the labels, then all of them. ``peak_mb`` and
``peak_mb_tenth``: the process's largest size after that, beyond what it had before the first row.

Then its file is brought in as labels that train into a project that holds the same photos, all of them waiting for answers:
read, matched, tried, and applied, as the job does it. First that of a tenth, then that of all, in a process that did nothing
else and on a copy of the database as it was before any import. ``in_peak_mb`` and ``in_peak_mb_tenth`` as above.
``in_per_s``: rows a second from staging the file to the last ground truth; ``apply_per_s``: of that last step;
``undo_per_s``: of taking ``undone`` rows back, which is the same whatever they came in: of the first format all, of the
others the tenth. ``round_trip``: each photo has the ground truth that it had, no other has one, and none is left of what is
taken back. ``not_carried``: what the format has no place for. ``took_s``: of the whole format, with what is not timed above;
``filled_s``: of the projects and photos before the first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.bench_project import close_connections, set_up_django
from benchmarks.running import cloned_database, own_database

PHOTOS_AT_ONCE = 5_000


def fill(labels: int, size: int) -> None:
    """A project in which everything that is settled has a photo of ``size`` bytes in the storage, and two with the same
    photos, a tenth of them and all, which wait for answers."""
    set_up_django()
    from django.db import connection, transaction

    from benchmarks.grown import grow
    from labeling.catalog import storage
    from labeling.catalog.models import Image
    from tests.gateway.conftest import make_world

    world = make_world()
    with transaction.atomic():
        grow(world, labels, answered=1.0, differ=0.0, decided=0.0)
    for some in batched(Image.objects.order_by("pk").values_list("pk", flat=True).iterator(), PHOTOS_AT_ONCE):
        hashes = []
        for pk in some:
            data = hashlib.shake_256(str(pk).encode()).digest(size)
            hashes.append(hashlib.sha256(data).hexdigest())
            storage.keep(hashes[-1], data, {}, at_once=False)
        storage.flush()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE catalog_image i SET sha256 = n.sha256 FROM unnest(%s::bigint[], %s::text[]) n (id, sha256)"
                " WHERE i.id = n.id",
                [some, hashes],
            )
    first, last = _settled(world.project)
    for part, upto in (("tenth", _upto(first, last)), ("whole", last)):
        _waiting(world.project, part, upto)
    with connection.cursor() as cursor:
        cursor.execute(
            "VACUUM ANALYZE"
        )  # or the first format is measured while the database does it by itself
    close_connections()


def _waiting(source: Any, slug: str, upto: int) -> None:
    """A project with the photos that were settled up to this ground truth."""
    from labeling.catalog.models import Item
    from labeling.queue.services import append_arrivals
    from labeling.truth.models import GroundTruth
    from tests.factories import make_project

    keys = tuple(source.label_classes.order_by("pk").values_list("key", flat=True))
    target = make_project(classes=keys, admin=source.created_by, slug=slug)
    settled = GroundTruth.objects.filter(project=source, pk__lte=upto)
    photos = Item.objects.filter(pk__in=settled.values("item"))
    for some in batched(photos.values_list("image_id", "name", "random_key").iterator(), PHOTOS_AT_ONCE):
        items = Item.objects.bulk_create(
            Item(project=target, image_id=image, name=name, random_key=key) for image, name, key in some
        )
        append_arrivals(project=target, item_ids=[item.pk for item in items])


def _settled(project: Any) -> tuple[int, int]:
    """The first and the last of its ground truths."""
    from django.db.models import Max, Min

    from labeling.truth.models import GroundTruth

    found = GroundTruth.objects.filter(project=project).aggregate(first=Min("pk"), last=Max("pk"))
    return found["first"], found["last"]


def _upto(first: int, last: int) -> int:
    """The ground truth at which a tenth was settled."""
    return first + (last - first) // 10


def write(name: str, folder: str) -> dict[str, Any]:
    """A tenth of the settled photos in one format, then all of them, each into a file of ``folder``."""
    set_up_django(migrated=True)
    from labeling.catalog.models import Project
    from labeling.exchange.formats import FORMATS
    from labeling.exchange.models import DataSet
    from labeling.exchange.selectors import file_of, manifest
    from labeling.exchange.services import make_data_set

    project = Project.objects.order_by("pk")[0]
    whole = make_data_set(project=project, by=project.created_by, format=name, validation=10, test=10)
    tenth = DataSet.objects.get(pk=whole.pk)  # as it was then; it is not stored
    tenth.upto = _upto(_settled(project)[0], whole.upto)
    files = {part: Path(folder) / f"{part}.{FORMATS[name].ending}" for part in ("tenth", "whole")}
    before = _peak_mb()
    with files["tenth"].open("wb") as out:
        out.writelines(file_of(tenth))
    small = _peak_mb() - before
    began = time.perf_counter()
    first = 0.0
    with files["whole"].open("wb") as out:
        for piece in file_of(whole):
            first = first or time.perf_counter() - began
            out.write(piece)
    took = time.perf_counter() - began
    peak = _peak_mb() - before
    rows = manifest(whole)["rows"]
    assert isinstance(rows, int)
    close_connections()
    return {
        "out_per_s": round(rows / took),
        "first_byte_s": round(first, 3),
        "peak_mb": round(peak, 1),
        "peak_mb_tenth": round(small, 1),
        "not_carried": FORMATS[name].leaves_out,
        "rows": rows,
        "mb": round(files["whole"].stat().st_size / 2**20, 1),
        "files": {part: str(path) for part, path in files.items()},
    }


def bring(files: dict[str, str], back: str) -> dict[str, Any]:
    """The file of a tenth, then that of all, each into its project, as :func:`fill` left them; then that of the part
    ``back`` is taken back."""
    set_up_django(migrated=True)
    from django.core.files.base import File

    import labeling.exchange.tasks  # noqa: F401 - registers the handler, as a worker does
    from labeling.catalog.models import Project
    from labeling.exchange.imports.services import apply_import, start_import, undo_import
    from labeling.exchange.models import Import, Use
    from labeling.jobs import runner
    from labeling.jobs.models import Job, JobState

    def do(job: Job) -> float:
        began = time.perf_counter()
        runner.run(job.pk)
        job.refresh_from_db()
        if job.state != JobState.SUCCEEDED:
            raise SystemExit(f"{job.kind}: {job.error or job.trace}")
        return time.perf_counter() - began

    def bring_in(project: Project, path: Path) -> tuple[Import, float, float]:
        """The import, and the seconds of staging, reading and trying it, and of applying it."""
        began = time.perf_counter()
        with path.open("rb") as file:
            of, job = start_import(
                project=project, by=project.created_by, file=File(file, name=path.name), use=Use.TRAIN
            )
        do(job)
        read = time.perf_counter() - began
        return of, read, do(apply_import(of=of, by=project.created_by))

    before = _peak_mb()
    peaks: dict[str, float] = {}
    imports: dict[str, Import] = {}
    for part, path in files.items():
        target = Project.objects.get(slug=part)
        of, read, applied = bring_in(target, Path(path))
        peaks[part], imports[part] = round(_peak_mb() - before, 1), of
        Path(path).unlink()
    of.refresh_from_db()
    counts, rows = of.counts, sum(of.counts.values())
    same = _truths(Project.objects.order_by("pk")[0]) == _truths(target)
    undone = imports[back].rows.count()
    undoing = do(undo_import(of=imports[back], by=target.created_by))
    gone = not _truths(imports[back].project)
    close_connections()
    return {
        "in_per_s": round(rows / (read + applied)),
        "apply_per_s": round(rows / applied),
        "undo_per_s": round(undone / undoing),
        "undone": undone,
        "in_peak_mb": peaks["whole"],
        "in_peak_mb_tenth": peaks["tenth"],
        "round_trip": same and gone and set(counts) == {"done"},
        "outcomes": counts,
    }


def _truths(project: Any) -> dict[str, str]:
    """Hash of a photo -> class of its ground truth in force; gold is in no data set."""
    from labeling.truth.models import GroundTruth, Origin

    found = GroundTruth.objects.current().filter(project=project, kind="class").exclude(origin=Origin.GOLD)
    return dict(found.values_list("item__image__sha256", "label_class__key"))


def batched(rows: Iterator[Any], count: int) -> Iterator[list[Any]]:
    while some := list(islice(rows, count)):
        yield some


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(labels: int, size: int, names: list[str]) -> tuple[float, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, Any]] = {}
    with own_database(), tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        _alone(fill, labels, size)
        filled = round(time.perf_counter() - began, 1)
        for name in names or _alone(formats):
            began = time.perf_counter()
            out = _alone(write, name, folder)
            with cloned_database():
                found[name] = out | _alone(bring, out.pop("files"), "tenth" if found else "whole")
            found[name]["took_s"] = round(time.perf_counter() - began, 1)
            print(name, json.dumps(found[name]), file=sys.stderr, flush=True)
    return filled, found


def formats() -> list[str]:
    set_up_django(migrated=True)
    from labeling.exchange.formats import FORMATS

    return list(FORMATS)


def _alone(what: Any, *given: Any) -> Any:
    """In a process of its own: its peak is its own, and Django knows one database a process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(what, *given).result()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exchange", description=__doc__)
    parser.add_argument("--labels", type=int, default=100_000)
    parser.add_argument("--bytes", type=int, default=20_000, help="of each photo (default: 20000)")
    parser.add_argument("--formats", nargs="+", default=[], help="only these (default: all)")
    parser.add_argument("--quick", action="store_true", help="2,000 labels")
    options = parser.parse_args()
    labels = 2_000 if options.quick else options.labels
    filled, found = measure(labels, options.bytes, options.formats)
    print(
        json.dumps(
            {
                "benchmark": "exchange",
                "formats": found,
                "filled_s": filled,
                "n": labels,
                "bytes": options.bytes,
                "device": f"cpu, {platform.machine()}",
                "how": "written to the end, then brought in, each in a process of its own, without a web server",
            }
        )
    )


if __name__ == "__main__":
    main()
