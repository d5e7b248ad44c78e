"""Fifty people of all roles at work on a real Hilltop that is killed, frozen, filled up and cut off, in random order.

It has a database, web server, worker and supervisor of its own. Labelers, sweepers, reviewers and admins do what they do
over HTTP, and send again what broke off, as a browser does. When the time is over an independent checker reads everything
back through the API's exports: what was acknowledged is stored, once; ground truths are what the rules make of the answers;
nobody answered a photo twice; certificates are the champion's and prove what they state.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from benchmarks.chaos.running import Plan, go


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="of faults, after the first photos came in"
    )
    parser.add_argument("--seed", type=int, default=0, help="for the order of faults and what people do")
    parser.add_argument("--faults", default="", help="only these, once each, with commas")
    parser.add_argument("--quick", action="store_true", help="20 people, three kills")
    options = parser.parse_args(arguments)
    plan = Plan(
        seconds=60 * options.minutes,
        seed=options.seed,
        faults=tuple(filter(None, options.faults.split(","))),
    )
    if options.quick:
        faults = plan.faults or ("web_killed", "worker_killed", "database_killed")
        plan = replace(plan, share=0.2, photos=40, faults=faults, pause_s=2.0, pace=3.0, certify=False)
    print(json.dumps(go(plan, say=lambda line: print(line, flush=True))))


if __name__ == "__main__":
    main()
