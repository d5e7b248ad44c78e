"""The job ``lab``: labeling replayed on a project's own ground truths, strategy by strategy, by simulated people.

The noise of the people is estimated from the project's own answers: photos are sorted into thirds by how near the
boundary a cross-validated head puts them, and in each third an answer errs as often as people's answers differed from
the ground truth there (a hold counts as a guess). An error goes where the head would most likely go wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext_noop

from inference import backbones, replay, strategies
from inference.heads import LogisticHead
from inference.replay import Difference, Pace, Point
from inference.strategies.base import top_two
from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.jobs.progress import JobError, Progress
from labeling.learning.compute.embedding import project_of
from labeling.learning.compute.stores import store_of
from labeling.learning.lab import services as lab
from labeling.learning.training_set import Example, training_set
from labeling.truth.models import Annotation, AnswerKind

Floats = npt.NDArray[np.float32]
Columns = npt.NDArray[np.int64]

#: More photos than this teach the comparison nothing more, and cost memory and time.
MOST_PHOTOS = 4_000
MOST_LABELS = 500
FIRST = 20
#: Trainings a replay makes at most.
MOST_STEPS = 40
#: The decisions at which strategies are compared in words; fewer where not all replays get so far.
DECISIONS = 100
#: Before any answer is seen, one in twenty errs: so much is known, and no more (a Beta(1, 19) prior).
PRIOR_ERRORS, PRIOR_ANSWERS = 1.0, 20.0
THIRDS = 3


@dataclass(frozen=True)
class Material:
    """Photos with their column, what people would answer, which of them are a random sample, and near-duplicates."""

    rows: Floats
    truth: Columns
    belief: npt.NDArray[np.float64]
    audit: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64] | None
    noise: list[dict[str, Any]]
    left_out: int


def run_lab(progress: Progress) -> dict[str, Any]:
    """Returns the result that the lab's page draws; see :func:`_result`."""
    project = project_of(progress)
    names = [str(name) for name in progress.args["strategies"]]
    labelers = progress.args["labelers"]
    seeds = range(int(progress.args["seeds"]))
    progress.report(0, 1, gettext_noop("Reading embeddings and answers"))
    material = _material(project)
    audited = np.flatnonzero(material.audit)
    on_audit = len(audited) >= lab.LEAST_AUDIT and _pool(material, audited) >= lab.LEAST
    fixed = audited if on_audit else None
    smallest = min(_pool(material, _test(material, fixed, seed)) for seed in seeds)
    pace, checkpoints = _pace(project, smallest)

    total = len(names) * len(seeds) * checkpoints[-1]
    done = 0
    runs: dict[str, list[list[Point]]] = {name: [] for name in names}
    # Seed by seed, so that a look at the progress says how far all strategies are.
    for seed in seeds:
        people = replay.simulate_people(labelers, material.truth, material.belief, seed)
        for name in names:
            runs[name].append(
                replay.replay(
                    material.rows,
                    people,
                    strategies.get(name),
                    test=_test(material, fixed, seed),
                    seed=seed,
                    pace=pace,
                    checkpoints=checkpoints,
                    groups=material.groups,
                    on_progress=lambda labels, so_far=done: progress.report(  # type: ignore[misc]
                        so_far + labels, total, gettext_noop("Replaying labeling")
                    ),
                )
            )
            done += checkpoints[-1]
    progress.report(total, total, gettext_noop("Replaying labeling"))
    return _result(project, material, runs, labelers=labelers, pace=pace, fixed=fixed)


def _material(project: Project) -> Material:
    found = training_set(project).strict
    try:
        store = store_of(backbones.load(project.backbone_name))
    except (backbones.UnknownBackbone, backbones.WeightsError) as error:
        raise JobError(f"{error} Choose another backbone in the project's settings.") from error
    lacking = set(store.missing([example.sha256 for example in found.examples]))
    counts = {each.id: 0 for each in found.classes}
    present = [example for example in found.examples if example.sha256 not in lacking]
    for example in present:
        counts[example.class_id] += 1
    # A class of one or two photos cannot be both learned and judged.
    columns = {each: column for column, each in enumerate(c for c, n in counts.items() if n >= 4)}
    usable = [example for example in present if example.class_id in columns]
    if len(usable) > MOST_PHOTOS:
        kept = np.sort(np.random.default_rng(0).permutation(len(usable))[:MOST_PHOTOS])
        usable = [usable[index] for index in kept]
    groups = replace(found, examples=tuple(usable)).groups
    pictures = len(usable) if groups is None else len(set(groups))
    if pictures < lab.LEAST or len(columns) < 2:
        raise JobError(
            f"The lab needs {lab.LEAST} ground truths of at least two classes with an embedding, near-duplicates counted "
            f"once; there are now {pictures}. Embed the photos or label more, then run it again."
        )
    rows = store.rows([example.sha256 for example in usable])
    truth = np.array([columns[example.class_id] for example in usable], dtype=np.int64)
    proba = LogisticHead(seed=0).fit(rows, truth, groups=groups).out_of_fold_proba_
    belief, noise = _belief(usable, truth, proba, columns, class_resolution(project))
    return Material(
        rows=rows,
        truth=truth,
        belief=belief,
        audit=np.array([example.audit for example in usable], dtype=bool),
        groups=None if groups is None else np.array(groups, dtype=np.int64),
        noise=noise,
        left_out=len(found.examples) - len(usable),
    )


def _belief(
    examples: Sequence[Example],
    truth: Columns,
    proba: npt.NDArray[np.float64],
    columns: dict[int, int],
    resolution: dict[int, int | None],
) -> tuple[npt.NDArray[np.float64], list[dict[str, Any]]]:
    """(n, k) how people would answer each photo, and the error rate of each third that it is made of."""
    n, k = proba.shape
    at = {example.item_id: index for index, example in enumerate(examples)}
    answers, errors = np.zeros(n), np.zeros(n)
    given = (
        Annotation.objects.for_agreement()
        .filter(item_id__in=list(at), kind__in=[AnswerKind.CLASS, AnswerKind.HOLD])
        .values_list("item_id", "kind", "label_class_id")
    )
    for item_id, kind, class_id in given.iterator(chunk_size=10_000):
        index = at[item_id]
        answers[index] += 1
        if kind == AnswerKind.HOLD:
            errors[index] += (k - 1) / k
        else:
            errors[index] += columns.get(resolution.get(class_id) or 0, -1) != truth[index]

    _ladder, confidence = top_two(proba)
    rank = np.empty(n, dtype=np.int64)
    rank[np.argsort(confidence, kind="stable")] = np.arange(n)
    third = rank * THIRDS // n
    rate = np.empty(n)
    noise = []
    for number in range(THIRDS):
        mine = third == number
        share = (PRIOR_ERRORS + errors[mine].sum()) / (PRIOR_ANSWERS + answers[mine].sum())
        # Worse than a guess would be another question than the project's.
        rate[mine] = min(float(share), (k - 1) / k)
        noise.append(
            {
                "photos": int(mine.sum()),
                "answers": int(answers[mine].sum()),
                "error": round(float(rate[mine][0]), 4),
            }
        )
    others = proba + 1e-3
    others[np.arange(n), truth] = 0.0
    belief = others / others.sum(axis=1, keepdims=True) * rate[:, None]
    belief[np.arange(n), truth] = 1.0 - rate
    return belief, noise


def _test(material: Material, fixed: npt.NDArray[np.int64] | None, seed: int) -> npt.NDArray[np.int64]:
    return replay.split(material.truth, seed, groups=material.groups) if fixed is None else fixed


def _pool(material: Material, test: npt.NDArray[np.int64]) -> int:
    """How many photos may be labeled beside this test set."""
    return int(replay.pool_beside(test, len(material.truth), material.groups).sum())


def _pace(project: Project, pool: int) -> tuple[Pace, list[int]]:
    """The project's own pace, and the numbers of ground truths to look at."""
    last = min(pool, MOST_LABELS)
    every = max(5, min(project.retrain_every or 10, 25), -(-last // MOST_STEPS))
    pace = Pace(bands=project.bands, boundary_after=project.boundary_after, retrain_every=every)
    return pace, list(range(-(-FIRST // every) * every, last + 1, every))


def _result(
    project: Project,
    material: Material,
    runs: dict[str, list[list[Point]]],
    *,
    labelers: str,
    pace: Pace,
    fixed: npt.NDArray[np.int64] | None,
) -> dict[str, Any]:
    tested = len(_test(material, fixed, 0))
    decisions = _common_decisions(runs)
    points = {
        name: [replay.at_decisions(run, decisions) or run[0] for run in mine] for name, mine in runs.items()
    }
    names = list(runs)
    return {
        "labelers": labelers,
        "seeds": len(next(iter(runs.values()))),
        "strategy": project.strategy,
        "pace": {
            "bands": pace.bands,
            "boundary_after": pace.boundary_after,
            "retrain_every": pace.retrain_every,
        },
        "ground_truths": len(material.truth),
        "left_out": material.left_out,
        "test": {"kind": "held_out" if fixed is None else "audit", "photos": tested},
        "noise": material.noise,
        "curves": [
            {"name": name, "points": _curve(mine, tested if fixed is not None else 0)}
            for name, mine in runs.items()
        ],
        "at": {
            "decisions": decisions,
            "strategies": [
                {
                    "name": name,
                    "accuracy": round(float(np.mean([p.accuracy for p in points[name]])), 4),
                    "ground_truths": round(float(np.mean([p.labels for p in points[name]])), 1),
                    "wrong": round(float(np.mean([p.wrong for p in points[name]])), 4),
                }
                for name in names
            ],
            "pairs": [
                {
                    "left": a,
                    "right": b,
                    **_told(_difference(points[a], points[b], fixed is not None, len(names))),
                }
                for a in names
                for b in names
                if a != b
            ],
        },
    }


def _common_decisions(runs: dict[str, list[list[Point]]]) -> int:
    """``DECISIONS``, or what every replay reaches, but not before the last one's first point."""
    reached = min(run[-1].human_decisions for mine in runs.values() for run in mine)
    begun = max(run[0].human_decisions for mine in runs.values() for run in mine)
    return int(max(min(DECISIONS, reached), begun))


def _difference(
    left: Sequence[Point], right: Sequence[Point], same_photos: bool, compared: int
) -> Difference:
    # Every pair is looked at, and the largest is told: all intervals must hold together.
    pairs = compared * (compared - 1) // 2
    if same_photos:
        return replay.compare_on([p.right for p in left], [p.right for p in right], comparisons=pairs)
    return replay.compare([p.accuracy for p in left], [p.accuracy for p in right], comparisons=pairs)


def _told(gap: Difference) -> dict[str, Any]:
    return {
        "difference": round(gap.mean, 4),
        "half_interval": round(gap.half_interval, 4),
        "clear": bool(gap.is_clear),
    }


def _curve(runs: list[list[Point]], fixed_photos: int) -> list[dict[str, Any]]:
    """One row a checkpoint; the interval covers the seeds and, where all share a test set, its photos too."""
    out = []
    for row in replay.summarise(runs).items():
        labels, figures = int(row[0]), row[1]
        value, half = figures["accuracy"] or 0.0, figures["half_interval"] or 0.0
        if fixed_photos:
            half = float(np.hypot(half, 1.96 * np.sqrt(value * (1 - value) / fixed_photos)))
        out.append(
            {
                "ground_truths": labels,
                "decisions": figures["human_decisions"],
                "accuracy": {
                    "value": value,
                    "low": round(max(0.0, value - half), 4),
                    "high": round(min(1.0, value + half), 4),
                },
                "auroc": figures["auroc"],
                "wrong": figures["wrong"],
            }
        )
    return out
