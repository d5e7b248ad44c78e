"""Projects under each promise, as a look leaves them: a plan, its cohort, and certificates with a ring."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from labeling.catalog.models import Item
from labeling.catalog.selectors import current_guideline
from labeling.frontier.models import (
    AssistedLabel,
    AutomaticDecision,
    Certificate,
    CertificationPlan,
    CertificationRun,
    FrontierPolicy,
    PlanCohort,
)
from labeling.truth.models import Annotation, GroundTruth
from tests.frontier.proving import KEYS, Pool

COUNTS = dict.fromkeys(
    ("drawn", "used", "before", "trained", "older", "unscored", "undecided", "open", "behind"), 0
)
#: The machine decides from here on, and the ring reaches from the second one up to it.
ALONE_FROM, RING_FROM = 0.6, 0.2
#: No margin is as high: the machine decides nothing.
NEVER = 2.0


def look(
    pool: Pool, promise: str, *, precision: float = 0.95, floor: float = 0.9, lacks: int = 0, used: int = 0
) -> CertificationRun:
    """A plan over the whole pool, and one look at it that leaves ``lacks`` labels to be settled."""
    plan = CertificationPlan.objects.create(
        project=pool.project,
        sample="after training 1",
        use=f"{promise} {CertificationPlan.objects.count()}",
        model_version=pool.model,
        guideline=current_guideline(pool.project),
        promise=promise,
        precision=precision,
        floor=floor if promise == "delivered" else None,
        delta=0.04,
        budget=0.05,
        undecided_are_errors=True,
        ladders={},
        planned={str(pool.classes[key].pk): 400 for key in KEYS},
    )
    PlanCohort.objects.create(
        plan=plan, item_ids=sorted(item.pk for item in pool.items), pool_to=pool.items[-1].pk
    )
    walk = {"steps": [], "certified": None, "start": None, "lacks": lacks}
    return CertificationRun.objects.create(
        plan=plan,
        project=pool.project,
        item_ids=[],
        digest="d" * 64,
        counts=COUNTS | {"drawn": used, "used": used},
        walks={str(pool.classes[key].pk): walk for key in KEYS},
    )


def certificate(
    pool: Pool,
    run: CertificationRun,
    key: str = "functional",
    *,
    threshold: float = ALONE_FROM,
    assisted: float | None = RING_FROM,
) -> Certificate:
    delivered = run.plan.promise == "delivered"
    figures: dict[str, Any] = {"n": 230, "errors": 4, "bound": 0.955, "coverage": 1 - threshold}
    if threshold == NEVER:
        figures = {"n": 0, "errors": 0, "bound": 0.0, "coverage": 0.0}
    if assisted is not None and not delivered:
        figures |= {"ring_photos": 80, "ring_n": 140, "ring_errors": 2, "ring_spare": 1.5}
    return Certificate.objects.create(
        project=pool.project,
        run=run,
        model_version=pool.model,
        guideline=current_guideline(pool.project),
        label_class=pool.classes[key],
        threshold=threshold,
        assisted=assisted,
        precision=run.plan.floor if delivered else run.plan.precision,
        delta=0.04,
        together=0.93 if delivered else None,
        method="planned",
        digest=run.digest,
        **figures,
    )


def wishes(
    pool: Pool, promise: str, *, precision: float = 0.95, floor: float = 0.9, mode: str = "off"
) -> None:
    """A policy, without the look that a change of it asks for."""
    FrontierPolicy.objects.create(
        project=pool.project, promise=promise, precision=precision, floor=floor, mode=mode, audit_share=0.05
    )


def under(pool: Pool, promise: str, **figures: Any) -> dict[str, Certificate]:
    """The policy asks for ``promise``, and both classes are certified under it."""
    precision, floor = figures.get("precision", 0.95), figures.get("floor", 0.9)
    wishes(pool, promise, precision=precision, floor=floor, mode="on")
    run = look(pool, promise, precision=precision, floor=floor, used=800)
    return {key: certificate(pool, run, key) for key in KEYS}


def one_answer_settles(
    pool: Pool, proof: Certificate, item: Item, *, audit: bool = False
) -> GroundTruth | None:
    """A blind answer that agrees with the machine, taken for enough; an audited one waits for its second person."""
    guideline = current_guideline(pool.project)
    answer = Annotation.objects.create(
        key=uuid4(),
        project=pool.project,
        item=item,
        labeler=pool.labelers[0],
        kind="class",
        label_class=proof.label_class,
        guideline=guideline,
        draw="rank",
        view_ms=1500,
        context={},
    )
    AssistedLabel.objects.create(
        project=pool.project,
        item=item,
        certificate=proof,
        annotation=answer,
        label_class=proof.label_class,
        audit=audit,
        audit_share=0.1,
    )
    if audit:
        return None
    return GroundTruth.objects.create(
        project=pool.project,
        item=item,
        kind="class",
        label_class=proof.label_class,
        origin="assisted",
        guideline=guideline,
    )


def decides(pool: Pool, proof: Certificate, item: Item, *, audit: bool = False) -> AutomaticDecision:
    return AutomaticDecision.objects.create(
        project=pool.project,
        item=item,
        certificate=proof,
        model_version=pool.model,
        label_class=proof.label_class,
        confidence=pool.margin[item.pk],
        probabilities=[0.9, 0.1],
        mode="on",
        audit=audit,
        audit_share=0.1,
    )


def inside(pool: Pool, low: float, high: float, key: str = "functional") -> list[Item]:
    """Photos that the champion predicts as ``key``, of these margins."""
    return [
        item for item in pool.items if pool.predicted[item.pk] == key and low <= pool.margin[item.pk] < high
    ]
