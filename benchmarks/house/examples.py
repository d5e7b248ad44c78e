"""One small change of each kind that the house is to make cheap, with the contract test that it must pass."""

from __future__ import annotations

from benchmarks.house.scratch import After, Example

STRATEGY = Example(
    name="strategy",
    most=3,
    edits={
        "inference/strategies/surest.py": '''"""The surest first: an example."""

from __future__ import annotations

import numpy as np

from inference.strategies.base import Ordering, Pool, top_two, with_model, without_model


class Surest:
    name = "surest"
    needs_model = True
    paced = False

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        if pool.proba is None:
            return without_model(np.random.default_rng(seed).permutation(len(pool)))
        _ladder, confidence = top_two(pool.proba)
        return with_model(np.argsort(-confidence, kind="stable"), pool.proba, bands)
''',
        "inference/strategies/__init__.py": [
            After(
                "from inference.strategies.random_order", "from inference.strategies.surest import Surest\n"
            ),
            After("        RandomOrder(),", "        Surest(),\n"),
        ],
        "labeling/catalog/strategies.py": [After('    "random":', '    "surest": _("Surest first"),\n')],
    },
    tests=[
        "tests/inference/test_strategies.py",
        "tests/learning/test_strategy_lab.py",
        "-k",
        "surest or every_strategy_has_a_name",
    ],
)

FORMAT = Example(
    name="format",
    most=2,
    edits={
        "labeling/gateway/export/tsv.py": '''"""Columns between tabs: an example."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.gateway.export.format import Format, Rows


def written(chunks: Rows, columns: tuple[str, ...]) -> Iterator[bytes]:
    for rows in chunks:
        lines = ("\\t".join(" ".join(str(row[name]).split()) for name in columns) for row in rows)
        yield "".join(line + "\\n" for line in lines).encode()


FORMAT = Format("text/tab-separated-values", "columns between tabs", written)
''',
        "labeling/gateway/export/__init__.py": [
            After("from labeling.gateway.export import csv", "from labeling.gateway.export import tsv\n"),
            After("FORMATS: dict[str, Format] =", 'FORMATS["tsv"] = tsv.FORMAT\n'),
        ],
    },
    tests=["tests/gateway/test_export.py", "-k", "tsv"],
)

EXAMPLES = (STRATEGY, FORMAT)
