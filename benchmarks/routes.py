"""What every page and route of the API costs in a large project, and how much more than in a small one.

Each address is asked with GET as the person who may see most, four times: what the database read, on the first visit and
without parallel workers; queries of the second; the better server time of the last two. ``plan_ok``: no page's worth of
photos, answers, scores or what else grows with them was read without an index. ``rows``: the most that were read of one such
table, entries of indexes included. ``ratio``: that time over the time with ``--small`` photos in the same run. In this
process, without the network and without a browser.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from benchmarks.bench_project import close_connections, set_up_django
from benchmarks.running import own_database

if TYPE_CHECKING:
    from tests.gateway.conftest import World

#: Aims of docs/decisions/0031-cost-that-does-not-grow.md.
MOST_MS, MOST_QUERIES = 100.0, 25
#: Answers a photo: the rest is left for the machine and for who labels next.
MOST_ANSWERS = 1.8
#: Not a cost of this house: streams without an end or as long as the project, a provider elsewhere, and rendered files.
NOT_MEASURED = {"events", "api-export", "photo", "photo-tile"}


def grown_world(photos: int, answers: int) -> World:
    """The small project of the tests, grown; committed."""
    from django.db import connection, transaction

    from benchmarks.grown import grow
    from tests.gateway.conftest import make_world

    with transaction.atomic():
        world = make_world()
        grow(world, photos, answered=answers / 2 / photos)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as it is after a night
    return world


def addresses(world: World) -> dict[str, tuple[str, str]]:
    """Name -> who asks, and the address. Beside every route that can be asked, what parameters make dear."""
    from tests.gateway.addresses import ROUTES, address_of
    from tests.gateway.test_who_may_use_each_route import MAY

    found = {
        name: (_asks(name), address_of(world, name))
        for name in sorted(ROUTES)
        if "GET" in MAY[name] and name not in NOT_MEASURED and not name.startswith(("mfa_", "openid"))
    }
    return found | {
        "api-ground-truths current": ("admin", world.api("/ground-truths?current=true")),
        "project as labeler": ("labeler", f"/p/{world.project.slug}/"),
        "project as viewer": ("viewer", f"/p/{world.project.slug}/"),
    }


def _asks(name: str) -> str:
    from labeling.http.who_may import Who
    from tests.gateway.test_who_may_use_each_route import MAY

    return (
        "superuser"
        if MAY[name]["GET"] == Who.SUPERUSER
        else "labeler"
        if name in {"label", "sweep", "mine"}
        else "admin"
    )


def _reads(ask_once: Callable[[], object]) -> dict[str, Any]:
    from django.db import connection, transaction

    from benchmarks.rows_read import MOST_ROWS, rows_read

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        before = rows_read()
        ask_once()
        read = [each.since(before[table]) for table, each in rows_read().items()]
    return {
        "plan_ok": max(each.sequentially for each in read) <= MOST_ROWS,
        "rows": max(each.rows for each in read),
    }


def ask(world: World, person: str, address: str) -> dict[str, Any]:
    from django.core.cache import cache
    from django.db import connection

    statements: list[tuple[float, str]] = []

    def noting(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if "SAVEPOINT" not in str(sql):
                statements.append((time.perf_counter() - began, " ".join(str(sql).split())))

    client = world.client(person, headers={"host": "localhost"}, raise_request_exception=False)
    cache.clear()  # what is counted late is counted by somebody
    reads = _reads(lambda: client.get(address))
    with connection.execute_wrapper(noting):
        began = time.perf_counter()
        response = client.get(address)
        took = time.perf_counter() - began
    began = time.perf_counter()
    client.get(address)
    took = min(took, time.perf_counter() - began)
    return {
        "status": response.status_code,
        "queries": len(statements),
        "ms": round(took * 1000, 1),
        **reads,
        "slowest": sorted(statements, reverse=True)[:5],
    }


def measure(photos: int, answers: int, only: list[str]) -> dict[str, dict[str, Any]]:
    with own_database():
        set_up_django()
        began = time.monotonic()
        world = grown_world(photos, answers)
        print(f"{photos:,} photos in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        found = {
            name: ask(world, person, address)
            for name, (person, address) in addresses(world).items()
            if not only or name in only
        }
        close_connections()
    return found


def _in_a_process(photos: int, answers: int, only: list[str]) -> dict[str, dict[str, Any]]:
    """Django knows one database a process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measure, photos, answers, only).result()


def run(options: argparse.Namespace) -> dict[str, Any]:
    share = options.answers / options.images
    small, large = (
        _in_a_process(photos, round(photos * share), options.only)
        for photos in (options.small, options.images)
    )
    print(f"{'route':<34}{'status':>7}{'queries':>8}{'rows':>9}{'ms':>9}{'ratio':>7}", file=sys.stderr)
    for name, each in sorted(large.items(), key=lambda pair: -pair[1]["ms"]):
        each["small_ms"] = small[name]["ms"]
        each["ratio"] = round(each["ms"] / max(each["small_ms"], 1.0), 1)
        line = f"{name:<34}{each['status']:>7}{each['queries']:>8}{each['rows']:>9}{each['ms']:>9}{each['ratio']:>7}"
        print(line + ("" if each["plan_ok"] else "  reads without an index"), file=sys.stderr)
        for seconds, sql in each.pop("slowest"):
            if options.explain and seconds >= 0.02:
                print(f"      {seconds * 1000:.0f} ms  {sql}", file=sys.stderr)
    return {
        "images": options.images,
        "answers": options.answers,
        "small": options.small,
        "n": len(large),
        "worst_ms": max(each["ms"] for each in large.values()),
        "worst_queries": max(each["queries"] for each in large.values()),
        "over_ms": sorted(name for name, each in large.items() if each["ms"] > MOST_MS),
        "over_queries": sorted(name for name, each in large.items() if each["queries"] > MOST_QUERIES),
        "plans_not_ok": sorted(name for name, each in large.items() if not each["plan_ok"]),
        "failed": sorted(name for name, each in large.items() if each["status"] >= 500),
        "routes": large,
        "device": f"{os.cpu_count()} cores, {platform.machine()}",
        "how": "Django's test client, no network; the better of two visits, with the caches warm",
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument(
        "--answers", type=int, help="two each of as many photos as it takes; as many as photos"
    )
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--only", nargs="+", default=[], metavar="ROUTE")
    parser.add_argument("--quick", action="store_true", help="20,000 photos against 2,000")
    parser.add_argument("--explain", action="store_true", help="the dearest statements too, on stderr")
    options = parser.parse_args(arguments)
    if options.quick:
        options.images, options.small, options.answers = 20_000, 2_000, None
    options.answers = options.images if options.answers is None else options.answers
    most = int(MOST_ANSWERS * options.images)
    if not 0 < options.answers <= most:
        parser.error(f"--answers: 1 to {most:,} of {options.images:,} photos.")
    print(json.dumps(run(options)))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    main()
