"""Are certificates honest, and how much do they cover? Simulated projects whose truth is known.

``python -m benchmarks.certify [--quick] [--runs 2000] [--only NAME …] [--stated .95] [--delta .05] [--labels 3000]``

Prints the table of rules and the scenarios as one JSON, its last line. ``--only rules`` leaves the scenarios out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from benchmarks.certify import rules
from benchmarks.certify.outcomes import Outcomes, joined
from benchmarks.certify.scenarios import Scenario, all_scenarios

#: Projects that are simulated together. The random numbers depend on it, and on nothing of the machine.
CHUNK = 250
PROCESSES = min(2, os.cpu_count() or 1)


def part(name: str, first_seed: int, number: int, runs: int) -> dict[str, Outcomes]:
    """One chunk of a scenario, in whichever process."""
    rng = np.random.default_rng([first_seed, number, zlib.crc32(name.encode())])
    return dict(all_scenarios()[name].simulate(rng, runs))


def row(scenario: Scenario, parts: Sequence[dict[str, Outcomes]], runs: int) -> dict[str, Any]:
    arms = {arm: joined([each[arm] for each in parts]).row() for arm in parts[0]}
    others = {arm: said for arm, said in arms.items() if arm not in {"before", "after"}}
    return {
        "says": scenario.says,
        "delta": scenario.delta,
        "runs": runs,
        "before": arms["before"],
        "after": arms["after"],
        # Refuted only where the whole interval lies above δ: a share of exactly δ would be over it half of the time.
        "held_before": arms["before"]["interval"][0] <= scenario.delta,
        "holds": arms["after"]["interval"][0] <= scenario.delta,
        **({"others": others} if others else {}),
    }


def scenario_rows(
    pool: ProcessPoolExecutor, chosen: Sequence[Scenario], first_seed: int, runs: int
) -> dict[str, Any]:
    sizes = [min(CHUNK, runs - at) for at in range(0, runs, CHUNK)]
    asked = {
        each.name: [
            pool.submit(part, each.name, first_seed, number, size) for number, size in enumerate(sizes)
        ]
        for each in chosen
    }
    found = {}
    for each in chosen:
        found[each.name] = row(each, [future.result() for future in asked[each.name]], runs)
        print(f"{each.name}: {found[each.name]}", file=sys.stderr, flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Simulates, and prints its JSON as the last line."""
    scenarios = all_scenarios()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.certify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=2000, help="projects a row")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=["rules", *scenarios], help="may be given again")
    parser.add_argument("--quick", action="store_true", help="200 projects")
    rules.add_arguments(parser)
    chosen = parser.parse_args(arguments)
    runs = min(chosen.runs, 200) if chosen.quick else chosen.runs
    wanted = chosen.only or ["rules", *scenarios]
    began = time.perf_counter()
    result: dict[str, Any] = {"benchmark": "certify"}
    with ProcessPoolExecutor(PROCESSES) as pool:
        rows = scenario_rows(
            pool, [scenarios[name] for name in wanted if name != "rules"], chosen.first_seed, runs
        )
        if "rules" in wanted:
            result |= rules.table(pool, chosen, runs)
    result |= {
        "scenarios": rows,
        "n": runs,
        "seeds": runs,
        "first_seed": chosen.first_seed,
        "device": "cpu",
        "seconds": round(time.perf_counter() - began, 1),
        "how": "simulated projects; rules: 2 classes and 3 versions, a look at every label, the best one kept",
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
