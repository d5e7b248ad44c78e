"""Requests, photos, archives and tables that nobody meant to send, to a real Hilltop of its own, in every role.

Half of the time made-up requests are sent to every route, from the schema that it publishes; half of it photos, zips and
tables of known answers with bytes changed by chance. Nothing may break or hang, and each refusal says why.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from typing import Any

from benchmarks.bench_project import close_connections, set_up_django
from benchmarks.chaos import setting
from benchmarks.fuzz.found import Found
from benchmarks.fuzz.memory import Memory
from benchmarks.fuzz.routes import fuzz_routes
from benchmarks.fuzz.world import ROLES, make
from benchmarks.running import hilltop, own_database


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """The JSON object of BENCHMARKS."""
    found, dice = Found(), random.Random(options.seed)
    os.environ["HILLTOP_ADAPT_AFTER"] = "0"  # minutes of computing, of which nothing is asked here
    with own_database():
        set_up_django()
        from benchmarks.fuzz.files import Files

        tokens = setting.make(os.environ["DATABASE_URL"], os.environ["HILLTOP_VAR"], ROLES)
        with hilltop() as target, Memory(target.supervisor) as memory:
            world = make(target.url, tokens, options.seed)
            began, before = time.monotonic(), dict(memory.now)
            files = Files(target.url, tokens["root"], world, found, dice)
            rounds = 1 if options.quick else 4
            for number in range(rounds):
                whole, done = options.minutes * 60, number / rounds
                fuzz_routes(target.url, tokens, world, found, dice, began + whole * (done + 0.5 / rounds))
                files.fuzz(began + whole * (done + 1 / rounds))
                print(f"{found.cases.total()} cases, {dict(memory.now)} MB", flush=True)
            after = dict(memory.now)
        close_connections()
    for title, words in (
        ("server error", found.server_errors),
        ("hang", found.hangs),
        ("without reason", found.without_reason),
        ("unlike the schema", found.unlike_schema),
        ("good one lost", found.good_lost),
    ):
        for each in words[:20]:
            print(f"{title}: {each}", flush=True)
    return {
        "cases": found.cases.total(),
        "server_errors": len(found.server_errors),
        "hangs": len(found.hangs),
        "peak_mb": round(max(memory.peak.values())),
        "refused_without_reason": len(found.without_reason),
        "unlike_schema": len(found.unlike_schema),
        "good_files_lost": len(found.good_lost),
        "peak_mb_of": {kind: round(size) for kind, size in sorted(memory.peak.items())},
        "grown_mb": {kind: round(size - before.get(kind, 0)) for kind, size in sorted(after.items())},
        "cases_of": dict(sorted(found.cases.items())),
        "refused": dict(found.refused.most_common()),
        "seed": options.seed,
        "n": found.cases.total(),
        "seconds": round(time.monotonic() - began, 1),
        "device": f"{os.cpu_count()} cores, {platform.machine()}",
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="20 seconds")
    options = parser.parse_args(arguments)
    if options.quick:
        options.minutes = 1 / 3
    print(json.dumps(measure(options), ensure_ascii=False))


if __name__ == "__main__":
    main()
