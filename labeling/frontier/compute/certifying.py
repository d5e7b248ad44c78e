"""One look at the certifying sample: plan it (once), walk inward, write down the steps, issue what was proven."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.utils.translation import gettext_noop

from inference.certify import Ladder, Method, Sample, Step, Walk, certify, ladder
from labeling.catalog.models import Guideline, LabelClass, Project
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import log_activity
from labeling.frontier import services
from labeling.frontier.compute.sample import Draws, draws
from labeling.frontier.compute.spending import account, open_plans
from labeling.frontier.models import (
    BandDraw,
    Certificate,
    CertificationPlan,
    CertificationRun,
    EndKind,
    EndReason,
    FrontierPolicy,
    Mode,
)
from labeling.frontier.policy import policy_of
from labeling.jobs.progress import Progress
from labeling.learning.models import Diagnostics, ModelVersion
from labeling.learning.selectors import champion
from labeling.planner import without_nested_loops
from labeling.queue import priority

METHOD: Method = "planned"
BANDS = 20


def certify_project(progress: Progress) -> dict[str, Any]:
    """Returns {labels, pending, certified: {class key: threshold}, issued}."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    model = champion(project)
    if model is None:
        return {"labels": 0, "pending": 0, "certified": {}, "issued": 0}
    policy = policy_of(project)
    guideline = current_guideline(project)
    priority.ask_drawn_first(project=project)
    progress.report(0, 3, gettext_noop("Reading the random labels"))
    plan = plan_for(project, model, guideline, policy)
    drawings = drawings_of(plan)
    found = draws(
        project,
        model,
        guideline,
        undecided_are_errors=policy.undecided_are_errors,
        band_draws=drawings,
    )
    progress.report(1, 3, gettext_noop("Walking inward"))
    walks = look(plan, found, drawings)
    progress.report(2, 3, gettext_noop("Writing certificates"))
    run, issued = issue(project, plan, found, walks, job_id=progress.job.pk)
    if issued and policy.mode != Mode.OFF:
        services.request_deciding(project=project)
    keys = dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))
    return {
        "labels": len(found.labels),
        "pending": found.counts["open"],
        "certified": {keys[int(name)]: w.threshold for name, w in walks.items() if w.threshold is not None},
        "issued": len(issued),
        "look": run.pk,
    }


# --- the plan ---------------------------------------------------------------------------------------------------


def plan_for(
    project: Project, model: ModelVersion, guideline: Guideline, policy: FrontierPolicy
) -> CertificationPlan:
    """The plan of this use, made at its first look: what it may spend of δ is settled with it (``spending``)."""
    use = (
        f"version {model.number}, guideline {guideline.number}, precision {policy.precision:g}, "
        f"{'with' if policy.undecided_are_errors else 'without'} holds, {policy.planned_labels} planned, {METHOD}"
    )
    known = {each.use: each for each in open_plans(project)}
    if use in known and known[use].budget != policy.delta:
        use += f", δ {policy.delta:g}"
    if use in known:
        return known[use]
    spent = account(project, model, guideline)
    share = spent.share(policy.delta)
    ladders = ladders_of(project, model)
    total = sum(count for _rungs, count in ladders.values())
    return CertificationPlan.objects.create(
        project=project,
        sample=spent.sample,
        use=use,
        model_version=model,
        guideline=guideline,
        precision=policy.precision,
        delta=share,
        budget=policy.delta,
        undecided_are_errors=policy.undecided_are_errors,
        ladders={
            str(class_id): {
                "thresholds": rungs.thresholds.tolist(),
                "share": rungs.share.tolist(),
                "hoped": None if rungs.hoped is None else rungs.hoped.tolist(),
            }
            for class_id, (rungs, _count) in ladders.items()
        },
        planned={
            str(class_id): int(policy.planned_labels * count / total)
            for class_id, (_rungs, count) in ladders.items()
        },
    )


_POOL = """
SELECT s.item_id, s.predicted_id, s.confidence FROM learning_score s
WHERE s.model_version_id = %s AND NOT EXISTS (
    SELECT 1 FROM truth_groundtruth t WHERE t.item_id = s.item_id AND t.id = ANY(%s::bigint[]))
"""


def ladders_of(project: Project, model: ModelVersion) -> dict[int, tuple[Ladder, int]]:
    """Class id -> thresholds at equal shares of the photos that did not train the version, and how many those are."""
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(_POOL, [model.pk, model.snapshot.ground_truth_ids])
        rows = cursor.fetchall()
    predicted = np.array([row[1] for row in rows], dtype=np.int64)
    confidence = np.array([row[2] for row in rows], dtype=np.float64)
    hopes = _out_of_fold(model)
    found = {}
    for column, class_id in enumerate(model.classes):
        mine = confidence[predicted == class_id]
        if mine.size:
            found[class_id] = (ladder(mine, bands=BANDS, out_of_fold=hopes.get(column)), int(mine.size))
    return found


def _out_of_fold(model: ModelVersion) -> dict[int, tuple[Any, Any]]:
    """Column -> margins and correctness of what trained the version, each judged by a fit that had not seen it.

    For two classes only: the margin follows from the probability. They steer where the walk begins, never what it proves.
    """
    kept = Diagnostics.objects.filter(model_version=model).first()
    if kept is None or len(model.classes) != 2:
        return {}
    predicted = np.array(kept.predicted)
    margin = 2.0 * np.array(kept.confidence) - 1.0
    right = predicted == np.array(kept.truths)
    return {
        column: (margin[predicted == column], right[predicted == column])
        for column in (0, 1)
        if (predicted == column).any()
    }


# --- a look -----------------------------------------------------------------------------------------------------


def drawings_of(plan: CertificationPlan) -> dict[int, list[float]]:
    """Band draw -> its drawing, for all draws over the very ladder that this plan walks."""
    found = {}
    of_version = BandDraw.objects.filter(project=plan.project, plan__model_version=plan.model_version)
    for each in of_version.select_related("plan").order_by("id"):
        name = str(each.label_class_id)
        mine, its = plan.ladders.get(name), each.plan.ladders.get(name)
        if mine and its and all(mine[key] == its[key] for key in ("thresholds", "share")):
            found[each.pk] = list(each.drawing)
    return found


def look(
    plan: CertificationPlan, found: Draws, drawings: Mapping[int, list[float]] | None = None
) -> dict[str, Walk]:
    """Class id (text) -> its walk. All of them together are wrong with a probability of at most the plan's δ."""
    ladders, samples = {}, {}
    for name, said in plan.ladders.items():
        mine = [label for label in found.labels if str(label.predicted) == name]
        numbers = sorted({label.draw for label in mine if label.draw is not None})
        ladders[name] = Ladder(
            np.array(said["thresholds"]),
            np.array(said["share"]),
            None if said["hoped"] is None else np.array(said["hoped"]),
            drawings=tuple(np.array((drawings or {})[number]) for number in numbers),
        )
        samples[name] = Sample(
            np.array([label.confidence for label in mine], dtype=np.float64),
            np.array([str(label.settled_as) == name for label in mine], dtype=bool),
            drawing=np.array(
                [-1 if label.draw is None else numbers.index(label.draw) for label in mine], dtype=np.int64
            ),
        )
    return certify(
        samples, ladders, precision=plan.precision, delta=plan.delta, method=METHOD, planned=plan.planned
    )


def _still_wished(
    plan: CertificationPlan, model: ModelVersion, guideline: Guideline, policy: FrontierPolicy
) -> bool:
    """Whether what the plan proves is still what the project asks for: of this version, guideline, precision, δ and rule."""
    return (
        plan.model_version_id,
        plan.guideline_id,
        plan.precision,
        plan.budget,
        plan.undecided_are_errors,
    ) == (
        model.pk,
        guideline.pk,
        policy.precision,
        policy.delta,
        policy.undecided_are_errors,
    )


@transaction.atomic
def issue(
    project: Project, plan: CertificationPlan, found: Draws, walks: dict[str, Walk], *, job_id: Any = None
) -> tuple[CertificationRun, list[Certificate]]:
    """Write the look, and a certificate for each class that got one or whose frontier moved inward.

    A class that was suspended under this version and guideline gets none: the labels that certified it wrongly would again.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    run = CertificationRun.objects.create(
        plan=plan,
        project=project,
        job_id=job_id,
        item_ids=[label.item_id for label in found.labels],
        digest=found.digest,
        counts=found.counts,
        walks={name: walk.as_json() for name, walk in walks.items()},
        last_drawn_at=found.last_drawn_at,
    )
    model = champion(project)
    if model is None or not _still_wished(plan, model, current_guideline(project), policy_of(project)):
        return run, []  # changed while we looked: the next look is on its way
    suspended = set(
        Certificate.objects.filter(
            project=project, model_version=model, guideline=plan.guideline, ends__kind=EndKind.SUSPENDED
        ).values_list("label_class_id", flat=True)
    )
    in_force = {each.label_class_id: each for each in services.in_force(project)}
    issued = []
    for name, walk in walks.items():
        class_id = int(name)
        if walk.certified is None or class_id in suspended:
            continue
        step = walk.steps[walk.certified]
        before = in_force.get(class_id)
        if before is not None and before.precision == plan.precision and before.threshold <= step.threshold:
            continue
        if before is not None:
            services.end_certificates(
                project=project, kind=EndKind.RENEWED, reason=EndReason.LATER, only=[before.pk]
            )
        issued.append(_certify(run, class_id, step))
    for each in issued:
        said: dict[str, Any] = {"class": each.label_class.key, "model": model.number}
        said |= {name: getattr(each, name) for name in ("precision", "coverage", "n", "errors")}
        log_activity(project=project, kind="certified", **said)
    return run, issued


def _certify(run: CertificationRun, class_id: int, step: Step) -> Certificate:
    plan = run.plan
    return Certificate.objects.create(
        project_id=run.project_id,
        run=run,
        model_version_id=plan.model_version_id,
        guideline_id=plan.guideline_id,
        label_class_id=class_id,
        threshold=step.threshold,
        coverage=step.share,
        precision=plan.precision,
        delta=plan.delta,
        n=step.n,
        errors=step.errors,
        bound=step.lower,
        method=METHOD,
        digest=run.digest,
    )
