"""How long it takes to erase a source's photos in a large project: until the request is answered, until all are out, until
all are gone for good.

The project is the grown one of ``benchmarks.routes``, in a database of its own; a source of it gets ``--erase`` photos, each
with an original and renditions in the store. The page that says what would go, and the request, are asked as an admin asks,
with Django's test client; the jobs run in this process, as a worker runs them. Vectors there are none.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_project import close_connections, set_up_django
from benchmarks.routes import grown_world
from benchmarks.running import own_database

if TYPE_CHECKING:
    from tests.gateway.conftest import World

SOURCE = "to be erased"
#: Bytes of an original, and of each rendition.
ORIGINAL, RENDITION = 40_000, 8_000


def _with_files(world: World, photos: int) -> None:
    """Give ``photos`` photos of the project a source of their own, and files."""
    from django.db import connection

    from labeling.catalog import storage
    from labeling.catalog.models import IntakeBatch, Item
    from labeling.catalog.renditions import VARIANTS

    grown = Item.objects.filter(project=world.project, source__startswith="grown/").order_by("random_key")
    chosen = list(grown.values_list("pk", "image__sha256")[:photos])
    Item.objects.filter(pk__in=[pk for pk, _sha256 in chosen]).update(source=SOURCE)
    IntakeBatch.objects.create(
        project=world.project, kind="folder", source=SOURCE, created_by=world.project.created_by
    )
    data, small = os.urandom(ORIGINAL), os.urandom(RENDITION)
    for _pk, sha256 in chosen:
        storage.keep(sha256, data, dict.fromkeys(VARIANTS, small), at_once=False)
    storage.flush()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _timed(does: Any, *args: Any, **kwargs: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    done = does(*args, **kwargs)
    return time.perf_counter() - began, done


def measure(images: int, photos: int) -> dict[str, Any]:
    import labeling.erasure.tasks  # registers the handler, as a worker does
    from labeling.erasure.models import Erasure
    from labeling.jobs import runner
    from labeling.jobs.models import Job

    def work() -> None:
        for job in Job.objects.filter(kind="erase", state="queued"):
            runner.run(job.pk)
            job.refresh_from_db()
            assert job.state == "succeeded", job.error or job.trace

    world = grown_world(images, images)
    _with_files(world, photos)
    client = world.client("admin", headers={"host": "localhost"})
    page = f"/p/{world.project.slug}/erasures"
    asked = {"scope": "source", "source": SOURCE}
    client.get(page)
    foreseen_s, shown = _timed(client.get, page, asked)
    asked_s, answered = _timed(client.post, page, asked | {"reason": "measured", "days": 7})
    assert (shown.status_code, answered.status_code) == (200, 302), (shown.status_code, answered.status_code)
    out_s, _ = _timed(work)
    made = Erasure.objects.get(reason="measured")
    assert made.photos.count() == made.took["photos"] == photos
    assert not made.photos.to_take_out().exists()
    Erasure.objects.filter(pk=made.pk).update(due_at=made.created_at)
    labeling.erasure.tasks.erase_due(0)
    gone_s, _ = _timed(work)
    assert made.photos.filter(gone_at__isnull=False).count() == photos
    return {
        "foreseen_ms": round(foreseen_s * 1000, 1),
        "asked_ms": round(asked_s * 1000, 1),
        "out_s": round(out_s, 1),
        "out_photos_s": round(photos / out_s, 1),
        "gone_s": round(gone_s, 1),
        "gone_photos_s": round(photos / gone_s, 1),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--erase", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="500 of 2,000 photos")
    options = parser.parse_args(arguments)
    if options.quick:
        options.images, options.erase = 2_000, 500
    if not 0 < options.erase < options.images:
        parser.error("--erase: less than there are --images.")
    with own_database() as folder:
        set_up_django()
        print(f"{options.images:,} photos are made in {Path(folder).name}", file=sys.stderr, flush=True)
        found = measure(options.images, options.erase)
        close_connections()
    print(
        json.dumps(
            {
                "images": options.images,
                "n": options.erase,
                **found,
                "device": f"{os.cpu_count()} cores, {platform.machine()}",
                "how": "Django's test client, the job in this process, files on the local disk",
            }
        )
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    main()
