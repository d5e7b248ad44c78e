"""How much does a label teach? Replays labeling with simulated people, on ELPV or another set, strategy by strategy.

``python -m benchmarks.learning_curve [--data NAME] [--quick] [--seeds N]
[--labelers clean|noisy|strict|boundary|pairs-held] [--strategies …]``

Each seed sets 25 % of the photos aside; the rest is the pool (``inference.replay``). The experts' defect probability is
what labelers answer by: *clean* by their threshold (> 0.5 is defective); *noisy* is one labeler who says defective with
that probability; *strict* is two such labelers, blind, and where they differ a reviewer who is right 9 times in 10.

``differences``: accuracy minus that of ``uncertain`` (else of the first strategy), paired by seed, with half its 95 %
interval. Knows nothing of the web half: it measures ``inference`` alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import elpv, fused, pictures
from benchmarks.beside import Beside
from benchmarks.embedded import embed
from inference import backbones, strategies
from inference.replay import LABELERS, Pace, Point, compare, replay, simulate_people, split, summarise
from inference.replay.run import MakeHead

CHECKPOINTS = (20, 50, 100, 200, 300, 500)
#: Labels at which other classifiers are taught beside the replay's.
BESIDE = (50, 100, 300)
ELPV = "elpv"
DECISIONS = (100, 200, 400, 600)


def run(
    X: Mapping[int, npt.NDArray[np.float32]],
    belief: npt.NDArray[np.float64],
    strategy: str,
    *,
    labelers: Any,
    alike: float,
    slips: Sequence[float],
    seeds: Sequence[int],
    pace: Pace,
    checkpoints: Sequence[int],
    make_head: MakeHead,
) -> tuple[list[list[Point]], dict[str, dict[int, list[float]]]]:
    """One strategy's points, at the checkpoints and at each training, a list a seed; and what others got right.

    The latter: name -> labels -> a share a seed.

    ``X``: seed -> embeddings, the same ones unless a domain backbone made them. ``belief``: (n, k) as people answer.
    """
    truth = belief.argmax(axis=1).astype(np.int64)
    runs = []
    others: dict[str, dict[int, list[float]]] = {}
    for seed in seeds:
        test = split(truth, seed)
        beside = Beside(test, truth, [c for c in checkpoints if c in BESIDE])
        points = replay(
            X[seed],
            simulate_people(labelers, truth, belief, seed, alike=alike, slips=slips),
            strategy,
            test=test,
            seed=seed,
            pace=pace,
            checkpoints=sorted(
                {*checkpoints, *range(pace.retrain_every, checkpoints[-1], pace.retrain_every)}
            ),
            make_head=beside.make_head(make_head),
        )
        told = "  ".join(f"{p.labels}: {p.accuracy:.3f}" for p in at(checkpoints, points))
        print(f"{strategy} seed {seed}: {told}", file=sys.stderr, flush=True)
        runs.append(points)
        for name, shares in beside.accuracy.items():
            for labels, share in shares.items():
                others.setdefault(name, {}).setdefault(labels, []).append(share)
    return runs, others


def load(
    data: str, backbone: str, seeds: Sequence[int], *, domain: bool, flips: str
) -> tuple[dict[int, npt.NDArray[np.float32]], npt.NDArray[np.float64]]:
    """Embeddings of each seed (n, d), and (n, k) the shares in which people would answer; embedded once.

    ELPV's experts differ; of other sets, everyone knows the class.
    """
    if data == ELPV:
        defective = elpv.photos()[2]
        belief = np.stack([1.0 - defective, defective], axis=1)
        if domain:
            return {seed: elpv.embed_elpv(seed, backbone=backbone, flips=flips) for seed in seeds}, belief
        return dict.fromkeys(seeds, elpv.embed(backbones.load(backbone))), belief
    shown = pictures.load(data)
    return (
        dict.fromkeys(seeds, embed(backbones.load(backbone), shown.keys, shown.files)),
        np.eye(len(shown.classes))[shown.labels],
    )


def all_labels_accuracy(
    X: Mapping[int, npt.NDArray[np.float32]],
    belief: npt.NDArray[np.float64],
    seeds: Sequence[int],
    make_head: MakeHead,
) -> float:
    """Accuracy on the photos set aside after training on the true labels of all others."""
    truth = belief.argmax(axis=1)
    scores = []
    for seed in seeds:
        test = split(truth, seed)
        train = np.setdiff1d(np.arange(len(truth)), test)
        head = make_head(seed)
        head.fit(X[seed][train], truth[train])
        found = np.asarray(head.classes_)[head.predict_proba(X[seed][test]).argmax(axis=1)]
        scores.append(float((found == truth[test]).mean()))
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


def beside_table(
    others: Mapping[str, Mapping[int, Sequence[float]]], automatic: str = "auto"
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Name -> labels -> accuracy and what ``automatic`` has more, each with its standard error over seeds."""
    return {
        name: {
            str(labels): {
                **dict(zip(("accuracy", "error"), _mean_and_error(shares), strict=True)),
                **dict(
                    zip(
                        ("auto_more", "auto_more_error"),
                        _mean_and_error(np.subtract(others[automatic][labels], shares)),
                        strict=True,
                    )
                ),
            }
            for labels, shares in at.items()
        }
        for name, at in others.items()
    }


def _mean_and_error(values: npt.ArrayLike) -> tuple[float, float | None]:
    each = np.asarray(values, dtype=np.float64)
    error = None if len(each) < 2 else round(float(each.std(ddof=1) / np.sqrt(len(each))), 4)
    return round(float(each.mean()), 4), error


def measure(data: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """One set of pictures, as the options say."""
    start = time.perf_counter()
    seeds = min(chosen.seeds, 2) if chosen.quick else chosen.seeds
    numbers = range(chosen.first_seed, chosen.first_seed + seeds)
    # Statistics of a domain are fitted to ELPV's pools only; other sets show what a new project has on its first day.
    on_domain = data == ELPV and (not chosen.quick if chosen.domain is None else chosen.domain)
    pace = Pace(chosen.bands, chosen.boundary_after, chosen.retrain_every, chosen.cold_start)
    names = strategies.names() if chosen.strategies == "all" else chosen.strategies.split(",")
    slips = [float(each) for each in chosen.slips.split(",") if each]
    loaded = [
        load(data, each, numbers, domain=on_domain, flips=chosen.flips)
        for each in fused.parts(chosen.backbone)
    ]
    belief = loaded[0][1]
    X = {seed: np.hstack([vectors[seed] for vectors, _ in loaded]) for seed in numbers}
    make_head = fused.head_on([vectors[numbers[0]].shape[1] for vectors, _ in loaded])
    smallest = min(len(belief) - len(split(belief.argmax(axis=1), seed)) for seed in numbers)
    last = min(chosen.labels, smallest, *([100] if chosen.quick else []))
    checkpoints = [c for c in CHECKPOINTS if c <= last] or [last]
    runs, others = {}, {}
    for name in names:
        runs[name], others[name] = run(
            X,
            belief,
            name,
            labelers=chosen.labelers,
            alike=chosen.alike,
            slips=slips,
            seeds=numbers,
            pace=pace,
            checkpoints=checkpoints,
            make_head=make_head,
        )
    at_checkpoints = {name: [at(checkpoints, points) for points in each] for name, each in runs.items()}
    return {
        "benchmark": "learning_curve",
        "data": data,
        "n": len(belief),
        "classes": belief.shape[1],
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
        "curves": {name: summarise(each) for name, each in at_checkpoints.items()},
        "at_decisions": {name: at_decisions(each) for name, each in runs.items()},
        "differences": differences(at_checkpoints),
        "beside": {name: beside_table(at) for name, at in others.items()},
        "all_labels_accuracy": round(
            all_labels_accuracy(X, belief, numbers[:1] if chosen.quick else numbers, make_head), 4
        ),
        "seconds": round(time.perf_counter() - start, 1),
    }


def sets_of(data: str) -> list[str]:
    """Names of sets that ``--data`` asks for, all of them there: none must turn out to be missing after hours.

    Raises:
        LookupError: no such set.
        NotInstalled: a set's package is missing.
    """
    known = [ELPV, *pictures.SETS]
    wanted = known if data == "all" else data.split(",")
    if unknown := sorted(set(wanted) - set(known)):
        raise LookupError(f"No set of pictures named {', '.join(unknown)}. There are: {', '.join(known)}.")
    for name in [name for name in wanted if name != ELPV]:
        pictures.load(name)
    return wanted


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Runs the replay and prints its JSON as the last line."""
    pace = Pace()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning_curve", description=__doc__)
    parser.add_argument("--data", default=ELPV, help="a set of pictures, several, or: all; list names them")
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
    parser.add_argument(
        "--backbone", default="efficientnet_lite0", help="a name, several with commas, or: fused"
    )
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
    fused.offer_packaged_weights(fused.parts(chosen.backbone))
    if chosen.data == "list":
        result: dict[str, Any] = {"benchmark": "learning_curve", "data": [ELPV, *pictures.SETS]}
    else:
        try:
            wanted = sets_of(chosen.data)
        except (LookupError, pictures.NotInstalled) as problem:
            parser.error(str(problem))
        results = {data: measure(data, chosen) for data in wanted}
        only = next(iter(results.values()))
        result = only if len(results) == 1 else {"benchmark": "learning_curve", "sets": results}
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
