"""How much does a label teach? Replays labeling on ELPV with simulated people, strategy by strategy.

``python -m benchmarks.learning_curve [--quick] [--seeds N] [--labelers clean|noisy|strict|boundary|pairs-held]
[--strategies a,b|all]``

Each seed sets 25 % of the photos aside; the rest is the pool (``inference.replay``). The experts' defect probability is
what labelers answer by: *clean* by their threshold (> 0.5 is defective); *noisy* is one labeler who says defective with
that probability; *strict* is two such labelers, blind, and where they differ a reviewer who is right 9 times in 10;
*boundary* is strict, but of a photo of the boundary band three must agree, or it is held (*pairs-held*: two).
``--alike .5``: half of the photos show everybody the same thing, so that who errs errs alike. ``--slips .01,.05,.1``: people
of unlike skill, who also name the other class by mistake so often.

``at_decisions``: where each strategy stands when people have made so many decisions, straight between two trainings: the
fair comparison of people who answer differently often.

``differences``: accuracy minus that of ``uncertain`` (else of the first strategy), paired by seed, with half its 95 %
interval. Knows nothing of the web half: it measures ``inference`` alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.elpv import embed_elpv
from inference import backbones, strategies
from inference.embed import Embedder
from inference.heads import LogisticHead
from inference.replay import LABELERS, Pace, Point, compare, replay, simulate_people, split, summarise
from inference.store import EmbeddingStore

CHECKPOINTS = (20, 50, 100, 200, 300, 500)
DECISIONS = (100, 200, 400, 600)
CACHE = Path(__file__).resolve().parent.parent / "var" / "benchmarks"


def run(
    X: Mapping[int, npt.NDArray[np.float32]],
    probability: npt.NDArray[np.float64],
    strategy: str,
    *,
    labelers: Any,
    alike: float,
    slips: Sequence[float],
    seeds: Sequence[int],
    pace: Pace,
    checkpoints: Sequence[int],
) -> list[list[Point]]:
    """One strategy's points, at the checkpoints and at each training, a list a seed.

    ``X``: seed -> embeddings, the same ones unless a domain backbone made them.
    """
    truth = (probability > 0.5).astype(np.int64)
    belief = np.stack([1.0 - probability, probability], axis=1)
    runs = []
    for seed in seeds:
        points = replay(
            X[seed],
            simulate_people(labelers, truth, belief, seed, alike=alike, slips=slips),
            strategy,
            test=split(truth, seed),
            seed=seed,
            pace=pace,
            checkpoints=sorted(
                {*checkpoints, *range(pace.retrain_every, checkpoints[-1], pace.retrain_every)}
            ),
        )
        told = "  ".join(f"{p.labels}: {p.accuracy:.3f}" for p in points if p.labels in checkpoints)
        print(
            f"{strategy} seed {seed}: {told}",
            file=sys.stderr,
            flush=True,
        )
        runs.append(points)
    return runs


def load_elpv(
    backbone_name: str = "efficientnet_lite0",
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """ELPV's embeddings (n, d) and the experts' defect probabilities (n,); embedded once into ``var/benchmarks``."""
    import elpv_dataset

    folder = Path(elpv_dataset.__file__).parent / "data"
    table = [line.split() for line in (folder / "labels.csv").read_text().splitlines() if line.strip()]
    files = {
        hashlib.sha256(data).hexdigest(): data for row in table if (data := (folder / row[0]).read_bytes())
    }
    keys = [hashlib.sha256((folder / row[0]).read_bytes()).hexdigest() for row in table]
    backbone = backbones.load(backbone_name)
    store = EmbeddingStore(CACHE / "embeddings", backbone.content_hash, backbone.dim)
    if missing := store.missing(keys):
        print(f"embedding {len(missing)} photos ...", file=sys.stderr, flush=True)
        embedder = Embedder(backbone, cache_dir=CACHE / "onnx")
        for batch in embedder.embed((key, files[key]) for key in missing):
            store.append(batch.keys, batch.vectors)
        store.compact()
    return store.rows(keys), np.array([float(row[1]) for row in table])


def all_labels_accuracy(
    X: Mapping[int, npt.NDArray[np.float32]], probability: npt.NDArray[np.float64], seeds: Sequence[int]
) -> float:
    """Accuracy on the photos set aside after training on the true labels of all others."""
    truth = (probability > 0.5).astype(np.int64)
    scores = []
    for seed in seeds:
        test = split(truth, seed)
        train = np.setdiff1d(np.arange(len(truth)), test)
        head = LogisticHead(seed=seed).fit(X[seed][train], truth[train])
        scores.append(float((head.predict(X[seed][test]) == truth[test]).mean()))
    return float(np.mean(scores))


def at(checkpoints: Sequence[int], points: Sequence[Point]) -> list[Point]:
    """Those of ``points`` that lie at a checkpoint."""
    return [point for point in points if point.labels in checkpoints]


def at_decisions(runs: Sequence[Sequence[Point]]) -> dict[str, dict[str, float]]:
    """Accuracy, share of wrong ground truths and their number after so many decisions: mean and deviation over seeds."""
    told: dict[str, dict[str, float]] = {}
    for decisions in DECISIONS:
        if any(points[-1].human_decisions < decisions for points in runs):
            break
        told[str(decisions)] = {}
        for name in ("accuracy", "wrong", "labels"):
            reached = [
                np.interp(
                    decisions,
                    [point.human_decisions for point in points],
                    [getattr(point, name) for point in points],
                )
                for points in runs
            ]
            told[str(decisions)][name] = round(float(np.mean(reached)), 4)
            told[str(decisions)][f"{name}_sd"] = round(
                float(np.std(reached, ddof=min(1, len(reached) - 1))), 4
            )
    return told


def differences(runs: dict[str, list[list[Point]]]) -> dict[str, Any]:
    """Each strategy against ``uncertain``, or against the first one, checkpoint by checkpoint."""
    base = "uncertain" if "uncertain" in runs else next(iter(runs))
    out: dict[str, Any] = {"to": base}
    for name, mine in runs.items():
        if name == base:
            continue
        out[name] = {}
        for column, point in enumerate(mine[0]):
            gap = compare([p[column].accuracy for p in mine], [p[column].accuracy for p in runs[base]])
            half = None if len(mine) < 2 else round(gap.half_interval, 4)
            out[name][str(point.labels)] = {"accuracy": round(gap.mean, 4), "half_interval": half}
    return out


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Runs the replay and prints its JSON as the last line."""
    pace = Pace()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning_curve", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0, help="seeds count up from here")
    parser.add_argument("--labelers", choices=LABELERS, default="strict")
    parser.add_argument(
        "--alike", type=float, default=0.0, help="share of photos that show everybody the same"
    )
    parser.add_argument(
        "--slips", default="", help="how often each of some people (3 or more) names another class"
    )
    parser.add_argument("--strategies", default="inward,random,uncertain", help="names, or: all")
    parser.add_argument("--labels", type=int, default=CHECKPOINTS[-1], help="stop at this many ground truths")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument(
        "--domain",
        action=argparse.BooleanOptionalAction,
        help="a domain backbone fitted to each seed's pool (default: yes, but not with --quick)",
    )
    parser.add_argument(
        "--flips",
        choices=("", "flip", "flips"),
        default="flips",
        help="mirror images for --domain; a cell has no up",
    )
    parser.add_argument("--bands", type=int, default=pace.bands)
    parser.add_argument("--boundary-after", type=int, default=pace.boundary_after)
    parser.add_argument("--retrain-every", type=int, default=pace.retrain_every)
    parser.add_argument("--cold-start", type=int, default=pace.cold_start)
    parser.add_argument("--quick", action="store_true", help="2 seeds, up to 100 ground truths")
    chosen = parser.parse_args(arguments)
    seeds = min(chosen.seeds, 2) if chosen.quick else chosen.seeds
    last = min(chosen.labels, 100) if chosen.quick else chosen.labels
    on_domain = not chosen.quick if chosen.domain is None else chosen.domain
    pace = Pace(chosen.bands, chosen.boundary_after, chosen.retrain_every, chosen.cold_start)
    checkpoints = [c for c in CHECKPOINTS if c <= last] or [last]
    slips = [float(each) for each in chosen.slips.split(",") if each]
    names = strategies.names() if chosen.strategies == "all" else chosen.strategies.split(",")
    numbers = range(chosen.first_seed, chosen.first_seed + seeds)

    start = time.perf_counter()
    plain, probability = load_elpv(chosen.backbone)
    X = {
        seed: embed_elpv(seed, backbone=chosen.backbone, flips=chosen.flips) if on_domain else plain
        for seed in numbers
    }
    runs = {
        name: run(
            X,
            probability,
            name,
            labelers=chosen.labelers,
            alike=chosen.alike,
            slips=slips,
            seeds=numbers,
            pace=pace,
            checkpoints=checkpoints,
        )
        for name in names
    }
    result = {
        "benchmark": "learning_curve",
        "n": len(plain),
        "seeds": seeds,
        "first_seed": chosen.first_seed,
        "device": "cpu",
        "labelers": chosen.labelers,
        "alike": chosen.alike,
        "slips": slips,
        "backbone": chosen.backbone,
        "domain": on_domain,
        "flips": chosen.flips if on_domain else "",
        "dim": X[numbers[0]].shape[1],
        "pace": vars(pace),
        "curves": {
            name: summarise([at(checkpoints, points) for points in each]) for name, each in runs.items()
        },
        "at_decisions": {name: at_decisions(each) for name, each in runs.items()},
        "differences": differences(
            {name: [at(checkpoints, points) for points in each] for name, each in runs.items()}
        ),
        "all_labels_accuracy": round(
            all_labels_accuracy(X, probability, numbers[:1] if chosen.quick else numbers), 4
        ),
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
