"""How fast a data set comes out in each format and in again, whether memory stays flat, and whether it is the same then.

Labels of a made-up project, each with a stored photo of ``--bytes``. Each format is written to its end in a process of its
own, from the database and the storage, without a web server: a tenth of the labels, then all of them. ``peak_mb`` and
``peak_mb_tenth``: the process's largest size after that, beyond what it had before the first row.

Then its file is brought in as labels that train into a project that holds the same photos, all of them waiting for answers:
read, matched, tried, and applied, as the job does it. First that of a tenth, then that of all, in a process that did nothing
else; projects and files were made in another. ``in_peak_mb`` and ``in_peak_mb_tenth`` as above. ``in_per_s``: rows a second
from staging the file to the last ground truth; ``apply_per_s``: of that last step; ``undo_per_s``: of taking all back.
``round_trip``: each photo has the ground truth that it had, no other has one, and none is left when all is taken back.
``not_carried``: what the format has no place for.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.bench_project import close_connections, set_up_django
from benchmarks.running import own_database

PHOTOS_AT_ONCE = 5_000


def fill(labels: int, size: int) -> None:
    """A project in which everything that is settled has a photo of ``size`` bytes in the storage."""
    set_up_django()
    from django.db import transaction

    from benchmarks.grown import grow
    from labeling.catalog import storage
    from labeling.catalog.models import Image
    from tests.gateway.conftest import make_world

    with transaction.atomic():
        grow(make_world(), labels, answered=1.0, differ=0.0, decided=0.0)
    images = Image.objects.order_by("pk")
    after = 0
    while some := list(images.filter(pk__gt=after)[:PHOTOS_AT_ONCE]):
        for image in some:
            data = hashlib.shake_256(str(image.pk).encode()).digest(size)
            image.sha256 = hashlib.sha256(data).hexdigest()
            storage.keep(image.sha256, data, {}, at_once=False)
        storage.flush()
        Image.objects.bulk_update(some, ["sha256"], batch_size=1_000)
        after = some[-1].pk
    close_connections()


def write(name: str) -> dict[str, Any]:
    """A tenth of the settled photos in one format, then all of them, thrown away as they come."""
    set_up_django()
    from labeling.catalog.models import Project
    from labeling.exchange.formats import FORMATS
    from labeling.exchange.selectors import file_of, manifest
    from labeling.exchange.services import make_data_set

    project = Project.objects.order_by("pk")[0]
    whole = make_data_set(project=project, by=project.created_by, format=name, validation=10, test=10)
    before = _peak_mb()
    for _piece in file_of(tenth_of(whole)):
        pass
    small = _peak_mb() - before
    began = time.perf_counter()
    first, size = 0.0, 0
    for piece in file_of(whole):
        first = first or time.perf_counter() - began
        size += len(piece)
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
        "mb": round(size / 2**20, 1),
        "data_set": str(whole.pk),
    }


def tenth_of(whole: Any) -> Any:
    """The same data set as it was when a tenth was settled; it is not stored."""
    from labeling.exchange.models import DataSet
    from labeling.truth.models import GroundTruth

    first = GroundTruth.objects.filter(project=whole.project_id).order_by("pk")[0].pk
    tenth = DataSet.objects.get(pk=whole.pk)
    tenth.upto = first + (whole.upto - first) // 10
    return tenth


def prepare(data_set: str, folder: str) -> dict[str, tuple[int, str]]:
    """For a tenth of a data set and for all of it: a project with the same photos, none of them settled, and the file.

    In a process of its own: what it takes is none of the import's.
    """
    set_up_django()
    from labeling.catalog.models import Item, Project
    from labeling.exchange.formats import FORMATS
    from labeling.exchange.models import DataSet
    from labeling.exchange.selectors import file_of
    from labeling.queue.services import append_arrivals
    from labeling.truth.models import GroundTruth
    from tests.factories import make_project

    whole = DataSet.objects.get(pk=data_set)
    source = Project.objects.get(pk=whole.project_id)
    keys = tuple(source.label_classes.order_by("pk").values_list("key", flat=True))
    found = {}
    for part, made in (("tenth", tenth_of(whole)), ("whole", whole)):
        target = make_project(classes=keys, admin=source.created_by, slug=f"{part}-{made.format}")
        settled = GroundTruth.objects.filter(project=source, pk__lte=made.upto)
        photos = Item.objects.filter(pk__in=settled.values("item"))
        for some in batched(photos.values_list("image_id", "name", "random_key").iterator(), PHOTOS_AT_ONCE):
            items = Item.objects.bulk_create(
                Item(project=target, image_id=image, name=name, random_key=key) for image, name, key in some
            )
            append_arrivals(project=target, item_ids=[item.pk for item in items])
        path = Path(folder) / f"{part}.{FORMATS[made.format].ending}"
        with path.open("wb") as out:
            out.writelines(file_of(made))
        found[part] = (target.pk, str(path))
    close_connections()
    return found


def bring(data_set: str, into: dict[str, tuple[int, str]]) -> dict[str, Any]:
    """The file of a tenth, then that of all, each into its project, as :func:`prepare` left them; then all is taken back."""
    set_up_django()
    from django.core.files.base import File

    import labeling.exchange.tasks  # noqa: F401 - registers the handler, as a worker does
    from labeling.catalog.models import Project
    from labeling.exchange.imports.services import apply_import, start_import, undo_import
    from labeling.exchange.models import DataSet, Import, Use
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
    peaks = {}
    for part, (project_id, path) in into.items():
        target = Project.objects.get(pk=project_id)
        of, read, applied = bring_in(target, Path(path))
        peaks[part] = round(_peak_mb() - before, 1)
        Path(path).unlink()
    of.refresh_from_db()
    counts, rows = of.counts, sum(of.counts.values())
    source = Project.objects.get(pk=DataSet.objects.get(pk=data_set).project_id)
    same = _truths(source) == _truths(target)
    back = do(undo_import(of=of, by=target.created_by))
    gone = not _truths(target)
    close_connections()
    return {
        "in_per_s": round(rows / (read + applied)),
        "apply_per_s": round(rows / applied),
        "undo_per_s": round(rows / back),
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


def measure(labels: int, size: int) -> dict[str, dict[str, Any]]:
    found = {}
    with own_database(), tempfile.TemporaryDirectory() as folder:
        _alone(fill, labels, size)
        for name in _alone(formats):
            out = _alone(write, name)
            data_set = out.pop("data_set")
            found[name] = out | _alone(bring, data_set, _alone(prepare, data_set, folder))
    return found


def formats() -> list[str]:
    set_up_django()
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
    parser.add_argument("--quick", action="store_true", help="2,000 labels, in under a minute")
    options = parser.parse_args()
    labels = 2_000 if options.quick else options.labels
    print(
        json.dumps(
            {
                "benchmark": "exchange",
                "formats": measure(labels, options.bytes),
                "n": labels,
                "bytes": options.bytes,
                "device": f"cpu, {platform.machine()}",
                "how": "written to the end, then brought in, each in a process of its own, without a web server",
            }
        )
    )


if __name__ == "__main__":
    main()
