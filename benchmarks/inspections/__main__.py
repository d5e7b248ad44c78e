"""Inspections by the API: how many a second, how soon does a verdict follow, and is each the one that the rows demand?

Four senders post walk-rounds of eight made-up photos to a real server, which looks at each photo, stores it, and asks two
projects; some photos are no photos or too dark, some calls are sent twice. Meanwhile words come in for most photos, and the
worker embeds and scores; in both projects a machine decides some of what nobody has answered, people audit that and overrule
a little of it, and when all is sent one certificate is suspended. At the end ``benchmarks.inspections.checker``, which knows
none of the room's code, recomputes every verdict, and the bound of each, from rows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.bench_project import close_connections, set_up_django
from benchmarks.inspections.calls import send, written
from benchmarks.inspections.checker import check
from benchmarks.inspections.machine import let_a_machine_decide, wait_until_idle
from benchmarks.inspections.people import People
from benchmarks.inspections.setting import setting
from benchmarks.running import hilltop, own_database


def measure(options: argparse.Namespace) -> dict[str, Any]:
    with own_database(), tempfile.TemporaryDirectory(prefix="hilltop-calls-") as place:
        made = written(Path(place), inspections=options.inspections, size=options.size, seed=options.seed)
        set_up_django()
        root, projects = setting()
        with hilltop(web_workers=2) as target:
            certificates = let_a_machine_decide(projects, root.user, seed=options.seed)
            people = People(projects, root.user, options.seed)
            people.start()
            began = time.perf_counter()
            with ThreadPoolExecutor(options.senders) as pool:
                numbers = list(range(options.inspections))
                parts = [numbers[n :: options.senders] for n in range(options.senders)]
                sent = [
                    pool.submit(send, target.url, root.token, Path(place), part, seed)
                    for seed, part in enumerate(parts)
                ]
                done = [each.result() for each in sent]
            seconds = time.perf_counter() - began
            ended = time.perf_counter()
            wait_until_idle(options.patience)
            people.over.set()
            people.join()
            if people.failed:
                raise people.failed
            taken_back = suspend(certificates["wash"][0], root.user)
            wait_until_idle(options.patience)
            settled = time.perf_counter() - ended
            decided = decisions()
        result = check(os.environ["DATABASE_URL"])
        close_connections()
    calls = sorted(each for took, _answers in done for each in took)
    answers = sum((answers for _took, answers in done), Counter())
    return {
        "inspections": result.inspections,
        "per_s": round(options.inspections / seconds, 2),
        "call_s_median": round(statistics.median(calls), 3),
        "call_s_p95": round(calls[int(0.95 * (len(calls) - 1))], 3),
        "verdict_s_median": round(statistics.median(result.first_s), 2),
        "verdict_s_p95": round(sorted(result.first_s)[int(0.95 * (len(result.first_s) - 1))], 2),
        "settled_s": round(settled, 1),
        "wrong": len(result.wrong),
        "wrong_bound": len(result.wrong_bound),
        "passed_on_unknown": len(result.passed_on_unknown),
        "without_verdict_or_reason": len(result.without),
        "such_as": (result.wrong + result.wrong_bound + result.passed_on_unknown + result.without)[:5],
        "outcomes": dict(result.outcomes),
        "verdicts": result.verdicts,
        "by_machine": result.by_machine,
        "bounds": {"n": len(result.bounds), "lowest": min(result.bounds, default=None)},
        "decided": decided,
        "taken_back": taken_back,
        "answers": dict(answers),
        "photos": dict(made),
        "refused_photos": result.refused,
        "words": dict(people.said),
        "cores": os.cpu_count(),
        "size": options.size,
        "n": options.inspections,
        "seeds": [options.seed],
        "how": "own server, two web processes, one worker that embeds and scores meanwhile; all on this machine",
    }


def suspend(certificate: Any, by: Any) -> int:
    """How many decisions that takes back."""
    from labeling.frontier.services import suspend

    return suspend(certificate=certificate, by=by, note="In doubt")


def decisions() -> int:
    from labeling.frontier.models import AutomaticDecision

    return AutomaticDecision.objects.filter(mode="on").count()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inspections", description=__doc__)
    parser.add_argument("--inspections", type=int, default=10_000)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), help="pixels of a photo")
    parser.add_argument(
        "--patience", type=float, default=3600.0, help="seconds for what is left to the worker"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.inspections, options.size = 60, (320, 240)
    options.size = tuple(options.size)
    result = measure(options)
    print(json.dumps(result))
    if any(
        result[name] for name in ("wrong", "wrong_bound", "passed_on_unknown", "without_verdict_or_reason")
    ):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
