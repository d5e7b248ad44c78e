"""``python -m benchmarks.house``: circles, sizes, lines before and after, and the files that a change of each kind touches.

Each example of ``benchmarks.house.examples`` is made in a scratch copy of the working tree, where its contract test must
then pass; the files are counted by git. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.house.examples import EXAMPLES
from benchmarks.house.measures import cycles, largest_files, lines_at, longest_functions
from benchmarks.house.scratch import touched

#: The commit before the rooms were rearranged (2026-11-29).
BEFORE = "c470041"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.house", description=__doc__)
    parser.add_argument("--before", default=BEFORE, help="commit whose lines are counted beside today's")
    parser.add_argument("--quick", action="store_true", help="without the examples, which run tests")
    asked = parser.parse_args()
    found = cycles()
    files, functions = largest_files(), longest_functions()
    result = {
        "cycles": len(found),
        "cycles_are": found,
        "largest_file": files[0],
        "longest_function": functions[0],
        "largest_files": files,
        "longest_functions": functions,
        "lines": {"before": lines_at(asked.before), "after": lines_at(None), "before_is": asked.before},
        "files_touched": {},
        "n": len(EXAMPLES),
    }
    failed = []
    for example in [] if asked.quick else EXAMPLES:
        print(f"== {example.name}: at most {example.most} files", flush=True)
        count = touched(example)
        result["files_touched"] |= {example.name: count.files}  # type: ignore[operator]
        print("\n".join([*(f"   {path}" for path in count.paths), f"   {count.tests}"]), flush=True)
        if not count.passed or count.files > example.most:
            failed.append(example.name)
    print(json.dumps(result | {"failed": failed}))
    return 1 if failed or found else 0


if __name__ == "__main__":
    sys.exit(main())
