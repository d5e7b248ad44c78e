"""Agreement estimates, in a worker: crowd-kit brings pandas, which the web process must not load."""

from __future__ import annotations

import logging
from typing import Any

import pandas as pd
from django.db.models import Case, When
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.jobs.handlers import handles
from labeling.jobs.progress import JobError, Progress
from labeling.jobs.services import QUICK
from labeling.truth import tallies
from labeling.truth.models import Annotation, AnswerKind, GroundTruth, Origin
from labeling.truth.quality.agreement import ESTIMATES

log = logging.getLogger(__name__)
#: How many photos a result lists: the page shows a few, a reviewer wants the worst first.
LISTED = 200
ITERATIONS = 100


@handles(ESTIMATES)
def estimate(progress: Progress) -> dict[str, Any]:
    """Krippendorff's alpha and Dawid-Skene over the project's blind answers.

    Result: ``alpha`` (None where undefined), ``n_items`` and ``n_answers`` it rests on, and ``dawid_skene`` as
    :func:`dawid_skene` gives it. Values of answers are ``class:<key>``, ``hold`` and ``unusable``.
    """
    project = Project.objects.get(pk=progress.job.project_id or 0)
    progress.report(0, 3, _("Reading the answers"))
    answers = answers_frame(project)
    if answers.empty:
        raise JobError(_("Nobody has answered a photo yet. Label some photos, then compute again."))
    progress.report(1, 3, _("Agreement"))
    alpha, n_items, n_answers = krippendorff(answers)
    progress.report(2, 3, _("Dawid-Skene"))
    return {
        "alpha": alpha,
        "n_items": n_items,
        "n_answers": n_answers,
        "dawid_skene": dawid_skene(answers, settled_values(project)),
    }


def answers_frame(project: Project) -> pd.DataFrame:
    """The blind answers in force, a row each: ``item``, ``round``, ``worker`` (ids), ``label`` (a value), and ``once``:
    the photo had been offered to this person first."""
    keys, resolution = _class_keys(project)
    rows = (
        Annotation.objects.blind()
        .filter(project=project)
        .annotate(once=Case(When(context__contains={"wanted": 1}, then=True), default=False))
        .order_by("id")
        .values_list("item_id", "round", "labeler_id", "kind", "label_class_id", "once")
    )
    return pd.DataFrame(
        [(i, r, w, _value(kind, c, keys, resolution), once) for i, r, w, kind, c, once in rows.iterator()],
        columns=["item", "round", "worker", "label", "once"],
    )


def settled_values(project: Project) -> dict[int, str]:
    """What people settled each photo as, by item id, as a value; gold stays out, and what only one of them settled."""
    keys, resolution = _class_keys(project)
    rows = (
        GroundTruth.objects.strict()
        .filter(project=project)
        .exclude(origin=Origin.GOLD)
        .values_list("item_id", "kind", "label_class_id")
    )
    return {item: _value(kind, c, keys, resolution) for item, kind, c in rows.iterator()}


def krippendorff(answers: pd.DataFrame) -> tuple[float | None, int, int]:
    """Alpha (nominal), with the photos and answers it rests on: those with two answers or more in one round.

    Undefined (None) while there is no such photo, or while everybody always gave one and the same answer:
    then there is nothing that chance could have got wrong.
    """
    # Imported where it is used: crowd-kit brings nltk and scipy.stats, seconds of every worker's start.
    from crowdkit.metrics.data import alpha_krippendorff

    frame = answers.assign(task=answers["item"].astype(str) + ":" + answers["round"].astype(str))
    units = frame.groupby("task")
    # Of a photo that was offered to one person first, their answer decided whether there is a second.
    paired = frame[(units["worker"].transform("size") >= 2) & ~units["once"].transform("any")]
    n_items, n_answers = int(paired["task"].nunique()), len(paired)
    if n_items == 0 or paired["label"].nunique() < 2:
        return None, n_items, n_answers
    return float(alpha_krippendorff(paired[["task", "worker", "label"]])), n_items, n_answers


def dawid_skene(answers: pd.DataFrame, settled: dict[int, str]) -> dict[str, Any]:
    """What the answers alone say, weighing each labeler by their estimated errors (Dawid & Skene 1979).

    The newest answer of a person to a photo counts. Returns ``values`` and their ``priors``; ``n_photos``;
    ``disagreeing``: photos settled as something other than the estimate, surest first; ``unsure``: settled photos whose
    estimate is least certain (of one that is asked, who reads it may be asked next); ``labelers``: each with ``errors``
    (true value -> probability of each answer, in the order of ``values``) and ``accuracy`` (expected, over the priors).
    """
    from crowdkit.aggregation import DawidSkene

    newest = answers.drop_duplicates(["item", "worker"], keep="last").rename(columns={"item": "task"})
    model = DawidSkene(n_iter=ITERATIONS).fit(newest[["task", "worker", "label"]])
    assert model.probas_ is not None and model.errors_ is not None and model.priors_ is not None
    values = sorted(str(v) for v in model.probas_.columns)
    estimates = model.probas_.idxmax(axis=1)
    certainty = model.probas_.max(axis=1)
    photos = [
        {
            "item": int(item),
            "estimate": str(estimates[item]),
            "probability": round(float(certainty[item]), 4),
            "truth": settled.get(int(item), ""),
        }
        for item in model.probas_.index
    ]
    disagreeing = [p for p in photos if p["truth"] and p["truth"] != p["estimate"]]
    answered = newest.groupby("worker").size()
    labelers = []
    for worker in sorted(answered.index):
        # crowd-kit: rows (worker, answer), columns true value, each column sums to 1
        matrix = model.errors_.loc[worker].reindex(index=values, columns=values, fill_value=0.0)
        labelers.append(
            {
                "labeler": int(worker),
                "answers": int(answered[worker]),
                "accuracy": round(sum(float(model.priors_[v]) * float(matrix.at[v, v]) for v in values), 4),
                "errors": {v: [round(float(matrix.at[said, v]), 4) for said in values] for v in values},
            }
        )
    return {
        "values": values,
        "priors": [round(float(model.priors_[v]), 4) for v in values],
        "n_photos": len(photos),
        "n_disagreeing": len(disagreeing),
        "disagreeing": sorted(disagreeing, key=lambda p: -float(str(p["probability"])))[:LISTED],
        "unsure": sorted((p for p in photos if p["truth"]), key=lambda p: float(str(p["probability"])))[
            :LISTED
        ],
        "labelers": labelers,
    }


def _class_keys(project: Project) -> tuple[dict[int, str], dict[int, int | None]]:
    return dict(project.label_classes.values_list("id", "key")), class_resolution(project)


def _value(
    kind: str, label_class_id: int | None, keys: dict[int, str], resolution: dict[int, int | None]
) -> str:
    """An answer as a value; merged classes are followed, retired ones stay themselves."""
    if kind != AnswerKind.CLASS or label_class_id is None:
        return kind
    return f"class:{keys[resolution.get(label_class_id) or label_class_id]}"


@app.periodic(cron="* * * * *")
@app.task(name="hilltop.fold_counts", queue=QUICK, queueing_lock="hilltop.fold_counts")
def fold_counts(timestamp: int) -> None:
    """Every minute: so that who reads a count adds up few rows."""
    tallies.fold()


@app.periodic(cron="41 3 * * *")
@app.task(name="hilltop.check_counts", queue="cpu", queueing_lock="hilltop.check_counts")
def check_counts(timestamp: int) -> None:
    """Every night: count anew, and put right what differs. None does, unless somebody wrote past the triggers."""
    wrong = tallies.mend()
    if wrong:
        log.error("%d kept counts differed from a recount and were put right", wrong)
