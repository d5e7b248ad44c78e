"""What words are worth before the first model, and what they cost where they are wrong: against typicality, in turn with it.

No text-image model could be installed where this was written, so words are made up: right of a photo with a stated chance,
and as sure of it as a uniform number from .5 to 1 (``--right .5`` is a coin). The vectors are real: ELPV under
EfficientNet-Lite0, all of its photos, or with one in ``--rare`` of the defective ones. A seed's pool is ordered once, as a
young project's is, and labeled down that order by experts.

``python -m benchmarks.cold_start [--seeds 10] [--right .1 …] [--rare 1 …] [--quick]``; JSON as the last line.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.elpv import embed, photos
from inference import backbones, strategies
from inference.strategies import Pool
from inference.strategies.ends import provisional

Ints = npt.NDArray[np.int64]
#: As a project that trains by itself makes its first model (``labeling.learning.training_set.FIRST_A_CLASS``).
OF_EACH = 5
JUDGED_AT = (10, 20)


def labeled(pool: Pool, y: Ints, seed: int, test: npt.NDArray[np.float32], test_y: Ints) -> dict[str, float]:
    """Of one order: labels until two classes have ``OF_EACH``; by labels, the accuracy on photos that were set aside, each
    class counting the same; a head of one class knows that one."""
    order = strategies.get("inward").order(pool, bands=8, seed=seed).order
    seen = np.cumsum(np.eye(2)[y[order]], axis=0).min(axis=1)
    found = {"until_a_model": float(np.argmax(seen >= OF_EACH) + 1)}
    for count in JUDGED_AT:
        first = order[:count]
        said = np.full(len(test_y), y[first[0]])
        if len(np.unique(y[first])) > 1:
            said = provisional(pool.embeddings[first], y[first]).predict_proba(test).argmax(axis=1)
        found[f"balanced_accuracy_{count}"] = float(
            np.mean([(said[test_y == c] == c).mean() for c in (0, 1)])
        )
    return found


def one_seed(
    seed: int, vectors: npt.NDArray[np.float32], truth: Ints, right: Sequence[float], rare: int
) -> dict[str, dict[str, float]]:
    """By typicality, and in turn with words by how often they are right."""
    rng = np.random.default_rng([seed, rare])
    order = rng.permutation(len(truth))
    test, pool_rows = order[: len(order) // 4], order[len(order) // 4 :]
    pool_rows = np.sort(pool_rows[(truth[pool_rows] == 0) | (rng.random(len(pool_rows)) < 1 / rare)])
    y, n = truth[pool_rows], len(pool_rows)
    none = np.zeros(0, dtype=np.int64)
    plain = Pool(np.arange(n), vectors[pool_rows], None, vectors[none], none)
    sure, lot = rng.uniform(0.5, 1.0, n), rng.random(n)
    ways = {"typical": plain}
    for share in right:
        said = np.where(lot < share, y, 1 - y)
        words = np.where(np.arange(2)[None, :] == said[:, None], sure[:, None], 1.0 - sure[:, None])
        tried = np.random.default_rng([seed, rare, 1]).random(n) < 0.5
        ways[f"{share:g}"] = Pool(plain.ids, plain.embeddings, None, vectors[none], none, words, tried)
    return {name: labeled(pool, y, seed, vectors[test], truth[test]) for name, pool in ways.items()}


def summarised(found: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Means over seeds; ``_error``: the standard error of the difference from typicality on the same seed."""
    out: dict[str, dict[str, float]] = {}
    for name in found[0]:
        row: dict[str, float] = {}
        for figure in found[0][name]:
            values = np.array([each[name][figure] for each in found])
            row[figure] = round(float(values.mean()), 3)
            if name != "typical":
                apart = values - np.array([each["typical"][figure] for each in found])
                row[f"{figure}_error"] = round(float(apart.std(ddof=1) / np.sqrt(len(found))), 3)
        out[name] = row
    return out


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Orders and labels, and prints the JSON as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--right", type=float, nargs="+", default=[0.1, 0.3, 0.5, 0.7, 0.9])
    parser.add_argument("--rare", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--quick", action="store_true", help="three seeds, words right in .5 and .9")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        chosen.seeds, chosen.right = 3, [0.5, 0.9]
    began = time.perf_counter()
    _keys, _files, probability = photos()
    truth = (probability > 0.5).astype(np.int64)
    vectors = embed(backbones.load("efficientnet_lite0"))
    rows = {
        f"one in {rare}" if rare > 1 else "all": summarised(
            [one_seed(seed, vectors, truth, chosen.right, rare) for seed in range(chosen.seeds)]
        )
        for rare in chosen.rare
    }
    result = {
        "benchmark": "cold_start",
        "defective": rows,
        "n": len(truth),
        "seeds": chosen.seeds,
        "device": "cpu",
        "seconds": round(time.perf_counter() - began, 1),
        "how": "made-up words over ELPV's vectors; one order a seed, labeled from its start by experts",
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
