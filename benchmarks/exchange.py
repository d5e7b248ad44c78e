"""How fast a data set comes out in each format, and whether memory stays flat. Nothing comes in yet.

Labels of a made-up project, each with a stored photo of ``--bytes``. Each format is written to its end in a process of its
own, from the database and the storage, without a web server: a tenth of the labels, then all of them. ``peak_mb`` and
``peak_mb_tenth``: the process's largest size after that, beyond what it had before the first row.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
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
    images = Image.objects.filter(items__source="grown").order_by("pk")
    after = 0
    while some := list(images.filter(pk__gt=after)[:PHOTOS_AT_ONCE]):
        for image in some:
            data = hashlib.shake_256(str(image.pk).encode()).digest(size)
            image.sha256 = hashlib.sha256(data).hexdigest()
            storage.keep(image.sha256, data, {}, at_once=False)
        Image.objects.bulk_update(some, ["sha256"], batch_size=1_000)
        after = some[-1].pk
    close_connections()


def write(name: str) -> dict[str, Any]:
    """A tenth of the settled photos in one format, then all of them, thrown away as they come."""
    set_up_django()
    from labeling.catalog.models import Project
    from labeling.exchange.models import DataSet
    from labeling.exchange.selectors import file_of, manifest
    from labeling.exchange.services import make_data_set
    from labeling.truth.models import GroundTruth

    project = Project.objects.get()
    whole = make_data_set(project=project, by=project.created_by, format=name, validation=10, test=10)
    first_id = GroundTruth.objects.order_by("pk")[0].pk
    tenth = DataSet.objects.get(pk=whole.pk)
    tenth.upto = first_id + (whole.upto - first_id) // 10
    before = _peak_mb()
    for _piece in file_of(tenth):
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
        "in_per_s": None,
        "out_per_s": round(rows / took),
        "first_byte_s": round(first, 3),
        "peak_mb": round(peak, 1),
        "peak_mb_tenth": round(small, 1),
        "round_trip": None,
        "rows": rows,
        "mb": round(size / 2**20, 1),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(labels: int, size: int) -> dict[str, dict[str, Any]]:
    with own_database():
        _alone(fill, labels, size)
        return {name: _alone(write, name) for name in _alone(formats)}


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
                "how": "written to the end in a process of its own, without a web server; labels come in nowhere yet",
            }
        )
    )


if __name__ == "__main__":
    main()
