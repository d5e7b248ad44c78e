"""One look at the certifying sample: plan it (once), walk inward, write down the steps, issue what was proven."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_noop

from inference.certify import aimed, ladder
from labeling.catalog.meaning import meaning_now
from labeling.catalog.models import Guideline, LabelClass, Project
from labeling.catalog.selectors import class_resolution
from labeling.catalog.services import log_activity
from labeling.frontier import services
from labeling.frontier.cohort import Cohort, cohort_of, rest_of, taken_of_ring, write_cohort
from labeling.frontier.compute.proving import METHOD, Proof, Proven, lay_path, look
from labeling.frontier.compute.sample import Draws, draws
from labeling.frontier.compute.spending import account, open_plans
from labeling.frontier.models import (
    Certificate,
    CertificationPlan,
    CertificationRun,
    EndKind,
    EndReason,
    FrontierPolicy,
    Mode,
    PromiseKind,
)
from labeling.frontier.policy import policy_of
from labeling.jobs.progress import Progress
from labeling.learning.models import Diagnostics, ModelVersion
from labeling.learning.selectors import champion
from labeling.queue import priority
from labeling.truth.models import GroundTruth, TruthKind

#: Thresholds of a ladder. Ways of two thresholds gain by finer ones (docs/log.md).
BANDS = 20
#: Of a certificate, in the project's activity.
_TOLD = ("precision", "coverage", "n", "errors", "ring_n", "ring_errors")


def certify_project(progress: Progress) -> dict[str, Any]:
    """Returns {labels, pending, certified: {class key: threshold}, issued}."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    model = champion(project)
    if model is None:
        return {"labels": 0, "pending": 0, "certified": {}, "issued": 0}
    policy = policy_of(project)
    guideline = meaning_now(project)
    priority.ask_drawn_first(project=project)
    progress.report(0, 3, gettext_noop("Reading the random labels"))
    plan = plan_for(project, model, guideline, policy)
    found = draws(plan)
    progress.report(1, 3, gettext_noop("Walking inward"))
    proofs = look(plan, found)
    progress.report(2, 3, gettext_noop("Writing certificates"))
    run, issued = issue(project, plan, found, proofs, job_id=progress.job.pk)
    if issued and policy.mode != Mode.OFF:
        services.request_deciding(project=project)
    keys = dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))
    return {
        "labels": len(found.labels),
        "pending": found.counts["open"],
        "certified": {
            keys[int(name)]: each.proven.threshold for name, each in proofs.items() if each.proven is not None
        },
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
    use = _use(model, guideline, policy)
    known = {each.use: each for each in open_plans(project)}
    if use in known and known[use].budget != policy.delta:
        use += f", δ {policy.delta:g}"
    if use in known:
        return known[use]
    spent = account(project, model, guideline)
    share = spent.share(policy.delta)
    cohort = cohort_of(project, model)
    ladders, planned = _ladders(by_class(cohort, model), policy, share, project)
    delivered = policy.promise == PromiseKind.DELIVERED
    plan = CertificationPlan.objects.create(
        project=project,
        sample=spent.sample,
        use=use,
        model_version=model,
        guideline=guideline,
        promise=policy.promise,
        precision=policy.precision,
        floor=policy.floor if delivered else None,
        delta=share,
        budget=policy.delta,
        undecided_are_errors=policy.undecided_are_errors,
        ladders=ladders,
        planned=planned,
        path=lay_path(np.array([row[2] for row in cohort]), policy.precision) if delivered else None,
    )
    write_cohort(plan, [row[0] for row in cohort])
    return plan


def _use(model: ModelVersion, guideline: Guideline, policy: FrontierPolicy) -> str:
    """What a plan is for, in words: two that read the same are one."""
    use = (
        f"version {model.number}, guideline {guideline.number}, precision {policy.precision:g}, "
        f"{'with' if policy.undecided_are_errors else 'without'} holds, {policy.planned_labels} planned, {METHOD}"
    )
    if policy.promise == PromiseKind.DELIVERED:
        return f"{use}, {policy.promise} over {policy.floor:g}"
    return use if policy.promise == PromiseKind.ALONE else f"{use}, {policy.promise}"


def _ladders(
    grouped: dict[int, tuple[Any, Any]], policy: FrontierPolicy, delta: float, project: Project
) -> tuple[dict[str, Any], dict[str, int]]:
    """Each class's ladder, as a plan keeps it, and its part of the planned labels."""
    total = max(sum(len(confidence) for confidence, _hopes in grouped.values()), 1)
    decided = 1.0 if policy.undecided_are_errors else _decided_share(project)
    ladders, planned = {}, {}
    for class_id, (confidence, hopes) in grouped.items():
        labels = int(policy.planned_labels * len(confidence) / total)
        finer = 2 if policy.promise == PromiseKind.ASSISTED else 1
        rungs = ladder(confidence, bands=BANDS * finer, out_of_fold=hopes)
        # Where undecided photos are no errors, of the rest fewer may be wrong: those that people could decide.
        aim = aimed(rungs, labels, 1.0 - (1.0 - policy.precision) * decided, delta / len(grouped))
        assert aim.photos is not None and aim.targets is not None
        planned[str(class_id)] = labels
        ladders[str(class_id)] = {
            "thresholds": aim.thresholds.tolist(),
            "share": aim.share.tolist(),
            "hoped": None if aim.hoped is None else aim.hoped.tolist(),
            "photos": aim.photos.tolist(),
            "targets": aim.targets.tolist(),
        }
    return ladders, planned


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
    """Share of all that people settled strictly in which they could decide; 1 where they settled nothing."""
    settled = GroundTruth.objects.strict().filter(project=project)
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


def _still_wished(
    plan: CertificationPlan, model: ModelVersion, guideline: Guideline, policy: FrontierPolicy
) -> bool:
    """Whether what the plan proves is still what the project asks for: of this version, guideline, precision, δ and rule."""
    if plan.promise == PromiseKind.DELIVERED and plan.floor != policy.floor:
        return False
    return (
        plan.promise,
        plan.model_version_id,
        plan.guideline_id,
        plan.precision,
        plan.budget,
        plan.undecided_are_errors,
    ) == (
        policy.promise,
        model.pk,
        guideline.pk,
        policy.precision,
        policy.delta,
        policy.undecided_are_errors,
    )


@transaction.atomic
def issue(
    project: Project, plan: CertificationPlan, found: Draws, proofs: dict[str, Proof], *, job_id: Any = None
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
        walks={name: each.walk for name, each in proofs.items()},
        last_drawn_at=found.last_drawn_at,
    )
    model = champion(project)
    if model is None or not _still_wished(plan, model, meaning_now(project), policy_of(project)):
        return run, []  # changed while we looked: the next look is on its way
    suspended = set(
        Certificate.objects.filter(
            project=project, model_version=model, guideline=plan.guideline, ends__kind=EndKind.SUSPENDED
        ).values_list("label_class_id", flat=True)
    )
    in_force = {each.label_class_id: each for each in services.in_force(project)}
    issued = []
    for name, each in proofs.items():
        class_id = int(name)
        if each.proven is None or class_id in suspended:
            continue
        before = in_force.get(class_id)
        if before is not None and _still_says_as_much(before, plan, each.proven):
            continue
        if before is not None:
            services.end_certificates(
                project=project, kind=EndKind.RENEWED, reason=EndReason.LATER, only=[before.pk]
            )
        issued.append(_certify(run, class_id, each.proven, found.decided_share))
    for certificate in issued:
        said: dict[str, Any] = {"class": certificate.label_class.key, "model": model.number}
        said |= {name: getattr(certificate, name) for name in _TOLD}
        said |= {"promise": plan.promise, "of_all": plan.precision}
        log_activity(project=project, kind="certified", **said)
    return run, issued


def _still_says_as_much(before: Certificate, plan: CertificationPlan, proven: Proven) -> bool:
    """Whether it reaches as far inward, unless people took so much of it that only what lies farther out still holds."""
    if before.run.plan_id != plan.pk or before.threshold > proven.threshold:
        return False
    resolution = class_resolution(plan.project)
    if proven.assisted is not None and (before.assisted is None or before.assisted > proven.assisted):
        return False
    if before.assisted is not None and not taken_of_ring(before, resolution).leaves_what_holds(before):
        return False
    return rest_of(before, resolution).holds(before)


def _certify(run: CertificationRun, class_id: int, proven: Proven, decided_share: float) -> Certificate:
    plan = run.plan
    return Certificate.objects.create(
        project_id=run.project_id,
        run=run,
        model_version_id=plan.model_version_id,
        guideline_id=plan.guideline_id,
        label_class_id=class_id,
        precision=plan.precision if plan.floor is None else plan.floor,
        delta=plan.delta,
        decided_share=decided_share,
        method=METHOD,
        digest=run.digest,
        **asdict(proven),
    )
