"""One look at the certifying sample: plan it (once), walk inward, write down the steps, issue what was proven."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_noop

from inference.certify import Ladder, Method, Sample, Step, Walk, aimed, certify, ladder
from labeling.catalog.models import Guideline, LabelClass, Project
from labeling.catalog.selectors import class_resolution, current_guideline
from labeling.catalog.services import log_activity
from labeling.frontier import services
from labeling.frontier.cohort import Cohort, cohort_of, rest_of, write_cohort
from labeling.frontier.compute.sample import Draws, draws, rests
from labeling.frontier.compute.spending import account, open_plans
from labeling.frontier.models import (
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
from labeling.queue import priority
from labeling.truth.models import GroundTruth, TruthKind

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
    found = draws(plan)
    progress.report(1, 3, gettext_noop("Walking inward"))
    walks = look(plan, found)
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


@transaction.atomic
def plan_for(
    project: Project, model: ModelVersion, guideline: Guideline, policy: FrontierPolicy
) -> CertificationPlan:
    """The plan of this use, made at its first look: what it may spend of δ is settled with it (``spending``).

    With it its cohort is written down, and only labels drawn from then on count for it: a plan that is written after the
    labels are there to read could choose what they happen to show.
    """
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
    cohort = cohort_of(project, model)
    total = max(len(cohort), 1)
    decided = 1.0 if policy.undecided_are_errors else _decided_share(project)
    ladders, planned = {}, {}
    grouped = by_class(cohort, model)
    for class_id, (confidence, hopes) in grouped.items():
        labels = int(policy.planned_labels * len(confidence) / total)
        rungs = ladder(confidence, bands=BANDS, out_of_fold=hopes)
        # Where undecided photos are no errors, of the rest fewer may be wrong: those that people could decide.
        aim = aimed(rungs, labels, 1.0 - (1.0 - policy.precision) * decided, share / len(grouped))
        assert aim.photos is not None and aim.targets is not None
        planned[str(class_id)] = labels
        ladders[str(class_id)] = {
            "thresholds": aim.thresholds.tolist(),
            "share": aim.share.tolist(),
            "hoped": None if aim.hoped is None else aim.hoped.tolist(),
            "photos": aim.photos.tolist(),
            "targets": aim.targets.tolist(),
        }
    plan = CertificationPlan.objects.create(
        project=project,
        sample=spent.sample,
        use=use,
        model_version=model,
        guideline=guideline,
        precision=policy.precision,
        delta=share,
        budget=policy.delta,
        undecided_are_errors=policy.undecided_are_errors,
        ladders=ladders,
        planned=planned,
    )
    write_cohort(plan, [item for item, _class_id, _confidence in cohort])
    return plan


def by_class(cohort: Cohort, model: ModelVersion) -> dict[int, tuple[Any, Any]]:
    """Class id -> (n,) confidences of the cohort's photos that are predicted so, and what to hope by (``_out_of_fold``)."""
    predicted = np.array([row[1] for row in cohort], dtype=np.int64)
    confidence = np.array([row[2] for row in cohort], dtype=np.float64)
    hopes = _out_of_fold(model)
    return {
        class_id: (confidence[predicted == class_id], hopes.get(column))
        for column, class_id in enumerate(model.classes)
        if (predicted == class_id).any()
    }


def _decided_share(project: Project) -> float:
    """Share of all that people settled in which they could decide; 1 where they settled nothing."""
    settled = GroundTruth.objects.current().filter(project=project)
    total = settled.count()
    return settled.filter(kind=TruthKind.CLASS).count() / total if total else 1.0


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


def look(plan: CertificationPlan, found: Draws) -> dict[str, Walk]:
    """Class id (text) -> its walk. All of them together are wrong with a probability of at most the plan's δ."""
    ladders, samples = {}, {}
    for name, said in plan.ladders.items():
        mine = [label for label in found.labels if str(label.predicted) == name]
        ladders[name] = Ladder(
            np.array(said["thresholds"]),
            np.array(said["share"]),
            None if said["hoped"] is None else np.array(said["hoped"]),
            np.array(said["photos"], dtype=np.int64),
            np.array(said["targets"], dtype=np.int64),
        )
        samples[name] = Sample(
            np.array([label.confidence for label in mine], dtype=np.float64),
            np.array([label.correct for label in mine], dtype=bool),
            np.array([-np.inf if label.frame is None else label.frame for label in mine], dtype=np.float64),
            np.array([label.item_id for label in mine], dtype=np.int64),
        )
    return certify(
        samples,
        ladders,
        precision=plan.precision,
        delta=plan.delta,
        method=METHOD,
        planned=plan.planned,
        rests=rests(plan, ladders, found.decided_share),
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
        item_ids=found.items,
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
        as_far = before is not None and before.run.plan_id == plan.pk and before.threshold <= step.threshold
        # Unless people took so much of it that only what lies farther out still holds.
        if before is not None and as_far and rest_of(before, class_resolution(project)).holds(before):
            continue
        if before is not None:
            services.end_certificates(
                project=project, kind=EndKind.RENEWED, reason=EndReason.LATER, only=[before.pk]
            )
        issued.append(_certify(run, class_id, step, found.decided_share))
    for each in issued:
        said: dict[str, Any] = {"class": each.label_class.key, "model": model.number}
        said |= {name: getattr(each, name) for name in ("precision", "coverage", "n", "errors")}
        log_activity(project=project, kind="certified", **said)
    return run, issued


def _certify(run: CertificationRun, class_id: int, step: Step, decided_share: float) -> Certificate:
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
        photos=step.photos,
        most_wrong=step.most_wrong,
        rest=step.rest,
        known=step.known,
        decided_share=decided_share,
        method=METHOD,
        digest=run.digest,
    )
