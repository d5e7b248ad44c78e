"""``python -m benchmarks``: every benchmark with ``--quick``, into ``benchmarks/results/latest.json``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

NAMES = (
    "learning_curve",
    "cold_start",
    "head",
    "heads",
    "embed",
    "predict",
    "mass",
    "queue",
    "intake",
    "rescore",
    "export",
    "certify",
    "frontier",
    "sweep",
    "drift",
    "screen",
    "pages",
    "routes",
    "exchange",
    "explorer",
    "erase",
    "inspections",
    "map",
    "events",
    "crash",
    "chaos",
    "fuzz",
    "loop",
    "house",
    "pixels",
)
RESULTS = Path(__file__).resolve().parent / "results"


def main() -> int:
    # It takes no options of its own; whoever asks for its help must not start an hour of work.
    argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"One alone: python -m benchmarks.NAME --help ({', '.join(NAMES)})",
    ).parse_args()
    results: dict[str, object] = {}
    failed = []
    for name in NAMES:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{name}", "--quick"], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line if line.strip() else last
        if process.wait() != 0:
            failed.append(name)
            continue
        results[name] = {**json.loads(last), "took_s": round(time.monotonic() - began, 1)}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps({"written": str(RESULTS / "latest.json"), "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
