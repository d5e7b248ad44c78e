"""Where the frontier stands, for its page and the API: policy, certificates, walks, audits, and how much is decided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from labeling.catalog.meaning import meaning_now
from labeling.catalog.models import Guideline, Project
from labeling.catalog.selectors import active_classes, current_guideline
from labeling.frontier.arrivals import Unusual, unusual_arrivals, with_unusual_arrivals
from labeling.frontier.assisting import waiting_audits
from labeling.frontier.auditing import audits
from labeling.frontier.blocking import asked_for
from labeling.frontier.certificates import in_force, suspended
from labeling.frontier.class_status import ClassStatus
from labeling.frontier.models import (
    AuditWatch,
    Certificate,
    CertificationRun,
    FrontierPolicy,
    PromiseKind,
    WatchedPart,
)
from labeling.frontier.parts import parts_of
from labeling.frontier.policy import policy_of
from labeling.frontier.promise import Promise, promise
from labeling.frontier.saying import class_says, state_says
from labeling.frontier.selectors import (
    decided_alone,
    overruled_decisions,
    settled_by_one_answer,
    shadow_agreement,
    shares_of,
    waiting_for_second_person,
)
from labeling.jobs.models import Job
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.truth.estimates import Proportion


@dataclass(frozen=True)
class FrontierStatus:
    """``state``: no_model, not_asked, certifying, certified, suspended or uncertified; ``says``: it in a sentence.

    ``coverage``, ``assisted_coverage``: shares of the pool that the machine may decide alone, and that one answer settles.
    ``watches``: those over all classes. What is counted of photos is read when it is asked for: not every page shows it.
    """

    project: Project
    policy: FrontierPolicy
    model: ModelVersion | None
    guideline: int
    state: str
    says: str
    classes: list[ClassStatus]
    look: CertificationRun | None
    jobs: list[Job]
    to_draw: int
    coverage: float | None
    assisted_coverage: float
    watches: list[AuditWatch]
    unusual: Unusual | None

    @cached_property
    def decided(self) -> int:
        return decided_alone(self.project)

    @cached_property
    def overruled(self) -> int:
        return overruled_decisions(self.project)

    @cached_property
    def shadow(self) -> Proportion | None:
        return shadow_agreement(self.project)

    @cached_property
    def assisted(self) -> int:
        """Photos that one answer settled."""
        return settled_by_one_answer(self.project)

    @cached_property
    def second_person(self) -> int:
        """Photos that had such an answer, and wait for another all the same."""
        return waiting_for_second_person(self.project)

    @cached_property
    def promise(self) -> Promise:
        return promise(self.project, self.policy, self.look)


def frontier_status(project: Project) -> FrontierStatus:
    policy = policy_of(project)
    model = champion(project)
    meaning = meaning_now(project)
    jobs = list(
        Job.objects.live()
        .of_project(project.pk)
        .filter(kind__in=["certify", "decide", "watch"])
        .order_by("created_at")
    )
    look = (
        with_unusual_arrivals(
            CertificationRun.objects.filter(
                project=project,
                plan__model_version=model,
                plan__guideline=meaning,
                plan__promise=policy.promise,
            )
        )
        .select_related("plan")
        .first()
        if model is not None
        else None
    )
    watches = list(AuditWatch.objects.filter(model_version=model, guideline=meaning)) if model else []
    allowed = in_force(project)
    classes = _classes(project, policy, model, meaning, look, watches, allowed)
    state = _state(model, look, jobs, classes)
    coverage, assisted_coverage = shares_of(allowed)
    return FrontierStatus(
        project=project,
        policy=policy,
        model=model,
        guideline=current_guideline(project).number,
        state=state,
        says=state_says(
            state,
            policy,
            look,
            suspended=[each.definition.name for each in classes if each.state == "suspended"],
            shares=(coverage, assisted_coverage),
            nearest=min(
                ((each.definition.name, each.lacks) for each in classes if each.one_look and each.lacks),
                key=lambda one: one[1],
                default=None,
            ),
        ),
        classes=classes,
        look=look,
        jobs=jobs,
        to_draw=_to_draw(classes, look),
        coverage=coverage,
        assisted_coverage=assisted_coverage,
        watches=sorted((each for each in watches if each.label_class_id is None), key=_by_part),
        unusual=unusual_arrivals(look) if look is not None else None,
    )


def _to_draw(classes: list[ClassStatus], look: CertificationRun | None) -> int:
    """Photos of the whole pool to draw for the nearest step inward: so many that its region gets what it needs.

    What was drawn and is still open is taken off, as it comes anyway. 0 where no number is known.
    """
    if look is None:
        return 0
    planned: dict[str, int] = look.plan.planned
    total = sum(planned.values())
    wanted = []
    for each in classes:
        if each.one_look and each.state == "open" and each.lacks:
            alike = look.plan.promise == PromiseKind.DELIVERED
            own = 1.0 if alike else planned.get(str(each.definition.label_class_id), 0) / max(total, 1)
            wanted.append(each.lacks / own if own else math.inf)
        step = next((s for s in each.steps if s["state"] == "failed"), None)
        part = planned.get(str(each.definition.label_class_id), 0) / max(total, 1)
        if (
            step is not None
            and each.state == "open"
            and step["more_without_errors"]
            and step["share"] * part > 0
        ):
            wanted.append(step["more_without_errors"] / (step["share"] * part))
    pending = look.counts["open"] + look.counts["behind"]
    nearest = min(wanted, default=math.inf)
    return max(math.ceil(nearest) - pending, 0) if nearest < math.inf else 0


def _classes(
    project: Project,
    policy: FrontierPolicy,
    model: ModelVersion | None,
    guideline: Guideline,
    look: CertificationRun | None,
    watches: list[AuditWatch],
    certificates: list[Certificate],
) -> list[ClassStatus]:
    if model is None:
        return []
    allowed = {each.label_class_id: each for each in certificates}
    doubted = suspended(project, meaning=guideline)
    asked_now = audits(project)
    asked = asked_for(look.plan) if look else {}
    found = []
    for position, definition in enumerate(active_classes(project)):
        class_id = definition.label_class_id
        if class_id not in model.classes:
            continue
        certificate = allowed.get(class_id) or doubted.get(class_id)
        state = "certified" if class_id in allowed else "suspended" if class_id in doubted else "open"
        walk = look.walks.get(str(class_id)) if look else None
        parts = parts_of(certificate) if certificate else None
        found.append(
            ClassStatus(
                definition,
                position,
                state,
                certificate,
                parts,
                walk,
                sorted((each for each in watches if each.label_class_id == class_id), key=_by_part),
                class_says(
                    state, definition.name, certificate, walk, parts, policy, asked=asked.get(class_id, 0)
                ),
                len(asked_now.open.get(class_id, ())),
                state == "certified" and class_id in asked_now.paused,
                waiting_audits(project, certificate)
                if certificate is not None and state == "certified" and certificate.assisted is not None
                else 0,
            )
        )
    return found


def _state(
    model: ModelVersion | None, look: CertificationRun | None, jobs: list[Job], classes: list[ClassStatus]
) -> str:
    if model is None:
        return "no_model"
    states = {each.state for each in classes}
    if "suspended" in states:
        return "suspended"
    if "certified" in states:
        return "certified"
    if any(job.kind == "certify" for job in jobs):
        return "certifying"
    if look is None:
        return "not_asked"
    return "uncertified"


def _by_part(watch: AuditWatch) -> int:
    return WatchedPart.values.index(watch.part)
