"""How long a page of the explorer takes among a million photos, and how much longer than among ten thousand.

Asked as an admin asks, with Django's test client: the page of search by a part of a file name (Korean, rare and frequent),
filters (status, class, prediction and margin, labeler and day, reason, disagreement, folder, metadata, several at once), a
page 100 deep, photos like one (with pgvector where the database has it, and as without), and the page of a photo.
``ratio_to_10000``: the largest ratio of a median to the one with ``--small`` photos, but for what is exact without pgvector:
that compares all.

``--bulk``: how many photos a second a worker looks at, does something with and takes back, for each deed with a whole
result.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from benchmarks.bench_project import close_connections, set_up_django
from benchmarks.routes import grown_world
from benchmarks.running import own_database

if TYPE_CHECKING:
    from tests.gateway.conftest import World

#: Aim: a page of a search in a million photos.
MOST_MS = 300.0
DEEP = 100


def _addresses(world: World, kind: str, n: int) -> Iterator[str]:
    """``n`` addresses of this kind, other ones each, the same in every run."""
    from labeling.catalog.models import Item

    lots = random.Random(kind)
    photos = f"/p/{world.project.slug}/photos"
    ids = list(Item.objects.filter(project=world.project).order_by("id").values_list("id", flat=True)[10:])
    searches = (
        lambda: f"?q={lots.randrange(100_000):05}",  # a part of a number: few photos, or none
        lambda: "?q=범퍼",
        lambda: f"?q=운전석+{lots.randrange(1000):03}",
        lambda: "?q=없는이름",
        lambda: f"?q=img&status=settled&after={lots.choice(ids)}",
    )
    filters = (
        lambda: "?status=settled",
        lambda: "?status=disputed",
        lambda: f"?class=defective&after={lots.choice(ids)}",
        lambda: "?predicted=defective&margin_to=0.2",
        lambda: f"?labeler=grown{lots.randrange(20)}",
        lambda: f"?labeler=grown{lots.randrange(20)}&answered_from=2000-01-01&class=functional",
        lambda: "?reason=between",
        lambda: "?disagrees=1",
        lambda: f"?source=grown/{lots.choice(ids) // 2500}",
        lambda: f"?metadata=vehicle%3Dv{lots.randrange(1000)}",
        lambda: f"?metadata=line%3D2&after={lots.choice(ids)}",
        lambda: "?metadata=line%3D2+vehicle%3Dnone",
        lambda: f"?metadata=number%3E%3D{(few := lots.randrange(100_000))}+number%3C%3D{few + 100}",
        lambda: f"?metadata=line%3E%3D1+line%3C%3D3&after={lots.choice(ids)}",
        lambda: "?metadata=number%3C%3D-1",
        lambda: "?metadata=line%3D2&status=unusable",
        lambda: "?status=unusable",  # none: the whole of what a page may look at
        lambda: "?predicted=defective&margin_from=0.9&class=functional&disagrees=1",
    )
    for number in range(n):
        if kind == "search_ms":
            yield photos + searches[number % len(searches)]()
        elif kind == "filter_ms":
            yield photos + filters[number % len(filters)]()
        elif kind.startswith("similar"):
            sha256 = Item.objects.values_list("image__sha256", flat=True).get(pk=lots.choice(ids))
            yield f"{photos}?like={sha256}"
        elif kind == "deep_page_ms":
            yield f"{photos}?status=settled&after={ids[min(len(ids) - 1, 60 * DEEP + lots.randrange(60))]}"
        else:
            yield f"{photos}/{lots.choice(ids)}"


def _timed(
    get: Callable[[str], Any], addresses: Iterator[str]
) -> tuple[dict[str, float], list[tuple[float, str]]]:
    took: list[tuple[float, str]] = []
    for address in addresses:
        began = time.perf_counter()
        response = get(address)
        took.append(((time.perf_counter() - began) * 1000, address))
        assert response.status_code == 200, (address, response.status_code)
    found = [ms for ms, _address in took]
    figures = {
        "median": round(statistics.median(found), 1),
        "p99": round(statistics.quantiles(found, n=100, method="inclusive")[98], 1),
    }
    return figures, sorted(took, reverse=True)[:3]


KINDS = ("search_ms", "filter_ms", "deep_page_ms", "similar_ms", "similar_without_pgvector_ms", "photo_ms")


def make_space(world: World) -> None:
    """As the job ``space`` makes one, of vectors in groups of some fifty: neighbours of different nearness."""
    import numpy as np

    from inference.projection import DIM, Projection
    from labeling.catalog.models import Item
    from labeling.explorer.compute.tables import Rows, write

    ids = np.fromiter(Item.objects.filter(project=world.project).values_list("pk", flat=True), dtype=np.int64)
    dice = np.random.default_rng(0)
    # As principal axes are: each is narrower than the one before.
    wide = (1.0 / np.sqrt(np.arange(1, DIM + 1))).astype(np.float32)
    centres = dice.normal(size=(len(ids) // 50 + 1, DIM)).astype(np.float32)
    vectors = centres[dice.integers(len(centres), size=len(ids))]
    vectors += 0.5 * dice.standard_normal(size=vectors.shape, dtype=np.float32)
    vectors *= wide
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    fit = Projection.fit(vectors[:2000])
    places = 32_768 + 12_000 * vectors[:, :2] / np.abs(vectors[:, :2]).max()
    write(world.project, "0" * 64, fit, Rows(np.sort(ids), vectors, places, np.zeros(len(ids), dtype=bool)))


@contextmanager
def _as_without_pgvector() -> Iterator[None]:
    from django.db.models import TextField, Value

    from labeling.explorer import spaces

    before = spaces._HALVES
    spaces._HALVES = Value(None, output_field=TextField())  # type: ignore[assignment]
    try:
        yield
    finally:
        spaces._HALVES = before


def measure(photos: int, n: int) -> dict[str, Any]:
    with own_database():
        set_up_django()
        from django.db import connection

        began = time.monotonic()
        world = grown_world(photos, photos)
        print(f"{photos:,} photos in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        began = time.monotonic()
        make_space(world)
        space_s = time.monotonic() - began
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_relation_size('item_by_name_parts'), pg_relation_size('catalog_item')")
            index, table = cursor.fetchone()
        client = world.client("admin", headers={"host": "localhost"}, raise_request_exception=False)
        found: dict[str, Any] = {
            "index_mb": round(index / 2**20, 1),
            "photos_mb": round(table / 2**20, 1),
            "space_s": round(space_s, 1),
        }
        for kind in KINDS:
            with _as_without_pgvector() if "without" in kind else nullcontext():
                for address in _addresses(world, kind, 12):  # caches warm, as of a server that is at work
                    client.get(address)
                found[kind], slowest = _timed(client.get, _addresses(world, kind, n))
            for ms, address in slowest:
                print(f"  {kind} {ms:.0f} ms {address}", file=sys.stderr, flush=True)
        close_connections()
    return found


#: Each of the photos that the one before left as they were.
DEEDS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("first", "status=open", {}),
    ("gold", "status=open", {"class_key": "functional"}),
    ("unusable", "status=settled", {"comment": "Out of focus."}),
    ("send_back", "status=settled", {"comment": "Look at the edge."}),
)


def bulk(photos: int) -> dict[str, Any]:
    """Deed -> stage -> photos handled, photos/s and statements a photo, as a worker does it, among ``photos``."""
    with own_database():
        set_up_django()
        from django.db import connection

        from labeling.explorer import services
        from labeling.explorer.bulk.working import work
        from labeling.explorer.models import Bulk
        from labeling.jobs.progress import Progress

        world = grown_world(photos, photos)
        statements = 0

        def counted(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
            nonlocal statements
            statements += "SAVEPOINT" not in str(sql)
            return execute(sql, params, many, context)

        def timed(asked: Bulk) -> dict[str, float]:
            nonlocal statements
            statements, began = 0, time.perf_counter()
            assert asked.job is not None
            with connection.execute_wrapper(counted):
                work(Progress(asked.job))
            took = time.perf_counter() - began
            n = sum(each["n"] for each in Bulk.objects.get(pk=asked.pk).counted.values())
            return {
                "photos": n,
                "photos_per_s": round(n / took, 1),
                "statements_a_photo": round(statements / n, 2),
            }

        found: dict[str, Any] = {}
        for deed, search, said in DEEDS:
            asked = services.look(project=world.project, by=world.admin, deed=deed, search=search, **said)
            found[deed] = {"look": timed(asked)}
            for stage, step in (("do", services.go_on), ("take_back", services.take_back)):
                asked = step(project=world.project, bulk_id=asked.pk, by=world.admin)
                found[deed][stage] = timed(asked)
        close_connections()
    return found


def _in_a_process(photos: int, n: int) -> dict[str, Any]:
    """Django knows one database a process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measure, photos, n).result()


def run(options: argparse.Namespace) -> dict[str, Any]:
    small, large = (_in_a_process(photos, options.pages) for photos in (options.small, options.images))
    return {
        "images": options.images,
        "n": options.pages,
        **large,
        f"at_{options.small}": {kind: small[kind] for kind in KINDS},
        "ratio_to_10000": round(
            max(large[kind]["median"] / small[kind]["median"] for kind in KINDS if "without" not in kind), 2
        ),
        "over_ms": [kind for kind in KINDS if large[kind]["p99"] > MOST_MS],
        "device": f"{os.cpu_count()} cores, {platform.machine()}",
        "how": "Django's test client, no network, caches warm; whole pages, each kind's addresses in turn",
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--pages", type=int, default=220, help="of each kind")
    parser.add_argument("--quick", action="store_true", help="20,000 photos, 44 pages of each kind")
    parser.add_argument(
        "--bulk",
        action="store_true",
        help="what is done with whole results, among --small photos, instead of pages",
    )
    options = parser.parse_args(arguments)
    if options.bulk:
        print(json.dumps(bulk(options.small)))
        return
    if options.quick:
        options.images, options.pages = 20_000, 44
    print(json.dumps(run(options)))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    main()
