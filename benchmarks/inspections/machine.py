"""A machine that decides beside the people: in both projects a head, its promotion, and certificates of some classes.

The head is trained by the worker, on words that have nothing to do with what the photos show, so it is right no more often
than chance. Its certificates are rows that nobody proved. Neither matters here: what is looked at is what follows from its
decisions.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.inspections.calls import picture

if TYPE_CHECKING:
    from labeling.catalog.models import Item, Project
    from labeling.frontier.models import Certificate
    from labeling.learning.models import ModelVersion
    from labeling.people.models import User

#: Photos that a head learns from, and those of the pool that its certificates speak of.
TRAINED, POOL = 40, 100
#: By project and class: the precision that is stated.
STATED = {"wash": {"machine": 0.97, "plain": 0.95}, "damage": {"none": 0.99}}
#: Risk of each project's look.
DELTA = 0.05
_NOT_WAITED_FOR = ("adapt",)


def let_a_machine_decide(
    projects: dict[str, Project], by: User, *, seed: int
) -> dict[str, list[Certificate]]:
    """By project: the certificates under which it decides from now on."""
    from labeling.learning.models import ModelVersion
    from labeling.learning.services import promote, request_training

    items = {slug: _earlier_photos(project, seed) for slug, project in projects.items()}
    wait_until_idle()
    for slug, project in projects.items():
        _settle(project, items[slug][:TRAINED])
        request_training(project=project, by=by)
    wait_until_idle()
    found = {}
    for slug, project in projects.items():
        model = ModelVersion.objects.get(project=project)
        promote(model_version=model, by=by, reason="It decides in the benchmark")
        wait_until_idle()
        found[slug] = _certified(project, model, by, items[slug][TRAINED:])
    return found


def wait_until_idle(patience: float = 600.0) -> None:
    """Until no job waits or runs but those that nothing here depends on. Raises :class:`SystemExit` where that takes longer,
    or where one failed."""
    from labeling.jobs.models import Job, JobState

    began = time.monotonic()
    while Job.objects.live().exclude(kind__in=_NOT_WAITED_FOR).exists():
        if time.monotonic() - began > patience:
            raise SystemExit(f"jobs still wait after {patience:.0f} s")
        time.sleep(0.2)
    if failed := Job.objects.filter(state=JobState.FAILED).first():
        raise SystemExit(f"{failed.kind} failed: {failed.error}\n{failed.trace}")


def _earlier_photos(project: Project, seed: int) -> list[Item]:
    from labeling.catalog.services import add_image, add_items

    dice = np.random.default_rng([seed, 1])
    photos = [add_image(data=picture(dice, 320, 240))[0] for _number in range(TRAINED + POOL)]
    named = [(image, f"{number}.jpg") for number, image in enumerate(photos)]
    return add_items(project=project, images=named, source="earlier")


def _settle(project: Project, items: list[Item]) -> None:
    """Each class in turn, as if people had agreed."""
    from benchmarks.inspections.people import agree

    classes = list(project.label_classes.order_by("pk").values_list("pk", flat=True))
    agree(project, {item.pk: classes[number % len(classes)] for number, item in enumerate(items)})


def _certified(project: Project, model: ModelVersion, by: User, pool: list[Item]) -> list[Certificate]:
    from labeling.catalog.selectors import current_guideline
    from labeling.frontier.models import (
        Certificate,
        CertificationPlan,
        CertificationRun,
        FrontierPolicy,
        PlanCohort,
    )

    stated = STATED[project.slug]
    guideline = current_guideline(project)
    plan = CertificationPlan.objects.create(
        project=project,
        sample="none",
        use="the benchmark",
        model_version=model,
        guideline=guideline,
        precision=min(stated.values()),
        delta=DELTA,
        budget=DELTA,
        undecided_are_errors=True,
        ladders={},
        planned={},
    )
    PlanCohort.objects.create(plan=plan, item_ids=sorted(item.pk for item in pool), pool_to=pool[-1].pk)
    run = CertificationRun.objects.create(
        plan=plan, project=project, item_ids=[], digest="0" * 64, counts={}, walks={}
    )
    classes = {each.key: each for each in project.label_classes.all()}
    certificates = [
        Certificate.objects.create(
            run=run,
            project=project,
            model_version=model,
            guideline=guideline,
            label_class=classes[key],
            threshold=0.0,
            coverage=1.0,
            precision=precision,
            delta=DELTA,
            n=0,
            errors=0,
            bound=precision,
            photos=len(pool),
            most_wrong=0,
            rest=len(pool),
            known=0,
            method="planned",
            digest=run.digest,
        )
        for key, precision in stated.items()
    ]
    FrontierPolicy.objects.create(
        project=project, precision=plan.precision, mode="on", by=by, reason="The benchmark"
    )
    return certificates
