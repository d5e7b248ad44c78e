"""How much does a label teach? Replays labeling on ELPV with simulated people, strategy by strategy.

``python -m benchmarks.learning_curve [--quick] [--seeds N] [--labelers clean|noisy|strict] [--strategies a,b]``

Each seed sets 25 % of the photos aside. The rest is the pool: a cold start by ``typical`` (random for ``random``) until
both classes have five ground truths, then a head on all ground truths so far, re-trained and the pool re-ranked every
few ground truths. ``inward`` moves in at a pace: band floor(bands * ground truths / boundary_after), and stays in the
last. People: *clean* answers by the experts' threshold (> 0.5 is defective); *noisy* is one labeler who says defective with
the experts' probability; *strict* is two such labelers, blind, and where they differ a reviewer who is right 9 times
in 10. A photo gets the same answers whichever strategy shows it.

Knows nothing of the web half: it measures ``inference`` alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from inference import backbones, strategies
from inference.embed import Embedder
from inference.heads import LogisticHead
from inference.store import EmbeddingStore
from inference.strategies import Pool

CHECKPOINTS = (20, 50, 100, 200, 300, 500)
CACHE = Path(__file__).resolve().parent.parent / "var" / "benchmarks"

MakeHead = Callable[[int], LogisticHead]


@dataclass(frozen=True)
class Pace:
    """How the queue moves: see the module's text."""

    bands: int = 3
    boundary_after: int = 100
    retrain_every: int = 10
    cold_start: int = 10


@dataclass(frozen=True)
class People:
    """What simulated people make of each photo under one seed: ground truth (n,) and what it cost in decisions (n,)."""

    ground_truth: npt.NDArray[np.int64]
    decisions: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Point:
    """A replay at one number of ground truths. ``wrong`` is the share of them that contradicts the experts."""

    labels: int
    accuracy: float
    accuracy_unlabeled: float
    auroc: float
    human_decisions: int
    wrong: float


def simulate_people(kind: str, probability: npt.NDArray[np.float64], seed: int) -> People:
    """Answers for all photos at once, so that strategies differ only in what they ask."""
    n = len(probability)
    truth = (probability > 0.5).astype(np.int64)
    rng = np.random.default_rng([seed, 7])
    first, second = (rng.random((2, n)) < probability).astype(np.int64)
    if kind == "clean":
        return People(truth, np.ones(n, dtype=np.int64))
    if kind == "noisy":
        return People(first, np.ones(n, dtype=np.int64))
    ruling = np.where(rng.random(n) < 0.9, truth, 1 - truth)
    differ = first != second
    return People(np.where(differ, ruling, first), 2 + differ.astype(np.int64))


def replay(
    X: npt.NDArray[np.float32],
    probability: npt.NDArray[np.float64],
    strategy: str,
    people: People,
    *,
    seed: int,
    pace: Pace,
    checkpoints: Sequence[int],
    make_head: MakeHead = lambda seed: LogisticHead(seed=seed),
) -> list[Point]:
    """One strategy, one seed: a point at each checkpoint."""
    truth = (probability > 0.5).astype(np.int64)
    test = split(truth, seed)
    train = np.setdiff1d(np.arange(len(X)), test)
    labeled: list[int] = []
    points: list[Point] = []
    head: LogisticHead | None = None
    while len(labeled) < checkpoints[-1]:
        left = np.setdiff1d(train, labeled)
        queue = _next(X, left, labeled, people, strategy, head, pace, seed)
        for photo in queue:
            labeled.append(int(photo))
            if len(labeled) in checkpoints:
                points.append(_measure(X, truth, test, train, labeled, people, make_head(seed)))
        counts = np.bincount(people.ground_truth[labeled], minlength=2)
        if counts.min() >= 5 and len(labeled) >= pace.cold_start:
            head = make_head(seed).fit(X[labeled], people.ground_truth[labeled])
    return points


def split(truth: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """The photos set aside: a quarter of each class."""
    rng = np.random.default_rng([seed, 3])
    parts = [rng.permutation(np.flatnonzero(truth == c)) for c in (0, 1)]
    return np.sort(np.concatenate([part[: round(len(part) / 4)] for part in parts]))


def _next(
    X: npt.NDArray[np.float32],
    left: npt.NDArray[np.int64],
    labeled: list[int],
    people: People,
    strategy: str,
    head: LogisticHead | None,
    pace: Pace,
    seed: int,
) -> npt.NDArray[np.int64]:
    """The photos to show until the next training."""
    count = pace.retrain_every - len(labeled) % pace.retrain_every
    pool = Pool(
        ids=left,
        embeddings=X[left],
        proba=None if head is None else head.predict_proba(X[left]),
        labeled_embeddings=X[labeled],
        labeled_y=people.ground_truth[labeled],
    )
    # Only ``random`` starts at random: it is the baseline that knows nothing.
    name = strategy if head is not None or strategy == "random" else "typical"
    ordering = strategies.get(name).order(pool, bands=pace.bands, seed=seed * 1000 + len(labeled))
    order = ordering.order
    if head is not None and strategy == "inward":
        band = min(pace.bands * len(labeled) // pace.boundary_after, pace.bands - 1)
        order = order[ordering.band[order] >= band]
    return left[order[:count]]


def _measure(
    X: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int64],
    test: npt.NDArray[np.int64],
    train: npt.NDArray[np.int64],
    labeled: list[int],
    people: People,
    head: LogisticHead,
) -> Point:
    given = people.ground_truth[labeled]
    if len(np.unique(given)) < 2:
        proba = np.full((len(X), 2), 0.5)
    else:
        proba = head.fit(X[labeled], given).predict_proba(X)
    right = proba.argmax(axis=1) == truth
    unlabeled = np.concatenate([test, np.setdiff1d(train, labeled)])
    return Point(
        labels=len(labeled),
        accuracy=float(right[test].mean()),
        accuracy_unlabeled=float(right[unlabeled].mean()),
        auroc=float(roc_auc_score(truth[test], proba[test, 1])),
        human_decisions=int(people.decisions[labeled].sum()),
        wrong=float((given != truth[labeled]).mean()),
    )


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


def summarise(runs: list[list[Point]]) -> dict[str, dict[str, float]]:
    """Seeds to one row a checkpoint: means, and the standard deviation of accuracy over seeds."""
    out: dict[str, dict[str, float]] = {}
    for points in zip(*runs, strict=True):
        accuracy = np.array([point.accuracy for point in points])
        out[str(points[0].labels)] = {
            "accuracy": round(float(accuracy.mean()), 4),
            "sd": round(float(accuracy.std(ddof=1)) if len(accuracy) > 1 else 0.0, 4),
            "accuracy_unlabeled": round(float(np.mean([point.accuracy_unlabeled for point in points])), 4),
            "auroc": round(float(np.mean([point.auroc for point in points])), 4),
            "human_decisions": round(float(np.mean([point.human_decisions for point in points])), 1),
            "wrong": round(float(np.mean([point.wrong for point in points])), 4),
        }
    return out


def all_labels_accuracy(
    X: npt.NDArray[np.float32], probability: npt.NDArray[np.float64], seeds: int
) -> float:
    """Accuracy on the photos set aside after training on the true labels of all others."""
    truth = (probability > 0.5).astype(np.int64)
    scores = []
    for seed in range(seeds):
        test = split(truth, seed)
        train = np.setdiff1d(np.arange(len(X)), test)
        scores.append(
            float(
                (LogisticHead(seed=seed).fit(X[train], truth[train]).predict(X[test]) == truth[test]).mean()
            )
        )
    return float(np.mean(scores))


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Runs the replay and prints its JSON as the last line."""
    pace = Pace()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning_curve", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--labelers", choices=("clean", "noisy", "strict"), default="strict")
    parser.add_argument("--strategies", default="inward,random,uncertain")
    parser.add_argument("--labels", type=int, default=CHECKPOINTS[-1], help="stop at this many ground truths")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--bands", type=int, default=pace.bands)
    parser.add_argument("--boundary-after", type=int, default=pace.boundary_after)
    parser.add_argument("--retrain-every", type=int, default=pace.retrain_every)
    parser.add_argument("--cold-start", type=int, default=pace.cold_start)
    parser.add_argument("--quick", action="store_true", help="2 seeds, up to 100 ground truths")
    chosen = parser.parse_args(arguments)
    seeds = min(chosen.seeds, 2) if chosen.quick else chosen.seeds
    last = min(chosen.labels, 100) if chosen.quick else chosen.labels
    pace = Pace(chosen.bands, chosen.boundary_after, chosen.retrain_every, chosen.cold_start)
    checkpoints = [c for c in CHECKPOINTS if c <= last] or [last]

    start = time.perf_counter()
    X, probability = load_elpv(chosen.backbone)
    curves = {}
    for name in chosen.strategies.split(","):
        runs = []
        for seed in range(seeds):
            people = simulate_people(chosen.labelers, probability, seed)
            runs.append(replay(X, probability, name, people, seed=seed, pace=pace, checkpoints=checkpoints))
            print(
                f"{name} seed {seed}: " + "  ".join(f"{p.labels}: {p.accuracy:.3f}" for p in runs[-1]),
                file=sys.stderr,
                flush=True,
            )
        curves[name] = summarise(runs)
    result = {
        "benchmark": "learning_curve",
        "n": len(X),
        "seeds": seeds,
        "device": "cpu",
        "labelers": chosen.labelers,
        "backbone": chosen.backbone,
        "dim": X.shape[1],
        "pace": vars(pace),
        "curves": curves,
        "all_labels_accuracy": round(all_labels_accuracy(X, probability, 1 if chosen.quick else seeds), 4),
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
