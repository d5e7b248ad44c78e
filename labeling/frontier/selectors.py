"""Where the frontier stands, for its page and the API: policy, certificates, walks, audits, and how much is decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy, ngettext

from labeling.catalog.meaning import meaning_now
from labeling.catalog.models import ClassDefinition, Guideline, Project
from labeling.catalog.selectors import active_classes, current_guideline
from labeling.frontier.arrivals import Unusual, unusual_arrivals, with_unusual_arrivals
from labeling.frontier.assisting import waiting_audits
from labeling.frontier.at_a_glance import decided
from labeling.frontier.auditing import GO_ON_AT, MOST_WAITING, audits
from labeling.frontier.blocking import Blocked, asked_for
from labeling.frontier.certificates import in_force, suspended
from labeling.frontier.models import (
    AssistedLabel,
    AuditWatch,
    AutomaticDecision,
    Certificate,
    CertificationRun,
    FrontierPolicy,
    Mode,
    PromiseKind,
    WatchedPart,
)
from labeling.frontier.parts import Parts, parts_of
from labeling.frontier.policy import policy_of
from labeling.frontier.promise import Promise, promise
from labeling.frontier.saying import class_says, state_says
from labeling.jobs.models import Job
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.truth.current import is_disputed, is_settled
from labeling.truth.estimates import Proportion
from labeling.truth.models import GroundTruth, Origin
from labeling.truth.tallies import truths


@dataclass(frozen=True)
class ClassStatus:
    """One predicted class: its certificate in force, or the one suspended under the champion; and its newest walk.

    ``parts``: of a certificate with two parts, how much lies in either. ``watches``: over the parts of this class.
    """

    definition: ClassDefinition
    position: int
    state: str
    certificate: Certificate | None
    parts: Parts | None
    walk: Mapping[str, Any] | None
    watches: list[AuditWatch]
    blocked: Blocked
    open_audits: int
    paused: bool
    ring_audits: int

    @property
    def ring_waits(self) -> bool:
        """Whether so many audits of what one answer settled are open that none settles any more."""
        return self.ring_audits >= MOST_WAITING

    @property
    def says_ring_waits(self) -> str:
        return ngettext(
            "%(n)d photo of “%(class)s” whose answer agreed with the machine waits for its second person, so no single "
            "answer settles another one until fewer than %(most)d wait. Labelers are asked about these photos before all "
            "others.",
            "%(n)d photos of “%(class)s” whose answer agreed with the machine wait for their second person, so no single "
            "answer settles another one until fewer than %(most)d wait. Labelers are asked about these photos before all "
            "others.",
            self.ring_audits,
        ) % {"n": self.ring_audits, "class": self.definition.name, "most": MOST_WAITING}

    @property
    def says(self) -> str:
        return self.blocked.says

    @property
    def lacks(self) -> int | None:
        """Random labels to ask people for: of the region of its next threshold, or those that the one look lacks."""
        return self.blocked.ask

    @property
    def says_paused(self) -> str:
        """Why the machine waits for people, and what lets it go on."""
        return ngettext(
            "%(n)d audited decision of “%(class)s” waits for people, so the machine decides no more of it, as nobody would "
            "see it err, until at most %(most)d wait. Labelers are asked about these photos before all others.",
            "%(n)d audited decisions of “%(class)s” wait for people, so the machine decides no more of it, as nobody would "
            "see it err, until at most %(most)d wait. Labelers are asked about these photos before all others.",
            self.open_audits,
        ) % {"n": self.open_audits, "class": self.definition.name, "most": GO_ON_AT}

    @property
    def share(self) -> float | None:
        """Of its photos, what the machine may decide alone."""
        if self.parts is not None:
            return self.parts.alone_of_class
        return self.certificate.coverage if self.certificate else None

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        return list(self.walk["steps"]) if self.walk else []

    @property
    def one_look(self) -> bool:
        """Whether its newest look was taken under a promise that has no thresholds to be passed one by one."""
        return self.walk is not None and "lacks" in self.walk

    @property
    def ladder(self) -> list[dict[str, Any]]:
        """Slices of the class's photos from the surest inward: ``at`` and ``width`` are per mille."""
        if self.parts is not None:
            return self._ladder_of_parts(self.parts)
        slices = []
        for step in self.steps:
            state = step["state"]
            if state == "before the start" and self.state != "open":
                state = "certified"  # the certified region is all that lies outside its threshold
            if self.state == "suspended" and state == "certified":
                state = "suspended"
            slices.append((step["share"], state))
        return _laid(slices)

    def _ladder_of_parts(self, parts: Parts) -> list[dict[str, Any]]:
        stands = self.state == "certified"
        alone, both = parts.alone_of_class, parts.alone_of_class + parts.ring_of_class
        slices = [
            (alone, "certified" if stands else "suspended"),
            (both, "ring" if stands else "suspended"),
            (1.0, "strict"),
        ]
        return _laid(
            [each for before, each in zip([(0.0, ""), *slices], slices, strict=False) if each[0] > before[0]]
        )


def _laid(slices: list[tuple[float, str]]) -> list[dict[str, Any]]:
    """``slices``: where each ends, as a share, and its state."""
    found, before = [], 0.0
    for end, state in slices:
        found.append(
            {
                "at": round(1000 * before),
                "width": max(round(1000 * (end - before)), 1),
                "state": state.replace(" ", "-"),
                "said": str(_STATES.get(state, state)),
            }
        )
        before = end
    return found


_STATES = {
    "certified": gettext_lazy("certified"),
    "suspended": gettext_lazy("suspended"),
    "failed": gettext_lazy("not proven yet"),
    "not reached": gettext_lazy("not reached"),
    "before the start": gettext_lazy("carried by the next"),
    "ring": gettext_lazy("one answer that agrees settles"),
    "strict": gettext_lazy("strict labels"),
}


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
    coverage, assisted_coverage = _shares(allowed)
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


def certified_share(project: Project) -> float | None:
    """Of the pool, inside the frontier: what the machine may decide alone. ``None`` where nothing is certified."""
    return certified_shares(project)[0]


def certified_shares(project: Project) -> tuple[float | None, float]:
    """The same, and what one answer that agrees settles. The machine alone: each class by its part of the planned labels."""
    return _shares(in_force(project))


def _shares(certificates: list[Certificate]) -> tuple[float | None, float]:
    alone, ring = None, 0.0
    for each in certificates:
        parts = parts_of(each)
        if parts is not None:
            alone = (alone or 0.0) + parts.alone / max(parts.pool, 1)
            ring += parts.ring / max(parts.pool, 1)
            continue
        planned: dict[str, int] = each.run.plan.planned
        part = planned.get(str(each.label_class_id), 0) / max(sum(planned.values()), 1)
        alone = (alone or 0.0) + each.coverage * part
    return alone, ring


def settled_by_one_answer(project: Project) -> int:
    """Photos whose label is one answer that agreed with the machine."""
    return sum(each.n for each in truths(project) if each.origin == Origin.ASSISTED)


def waiting_for_second_person(project: Project) -> int:
    """Photos that had such an answer and want another: drawn for the audit, or withdrawn with their certificate."""
    return (
        AssistedLabel.objects.filter(project=project, annotation__retraction__isnull=True)
        .exclude(is_settled())
        .exclude(is_disputed())
        .values("item")
        .distinct()
        .count()
    )


def shadow_agreement(project: Project) -> Proportion | None:
    """How often people settled a photo as the machine would have decided it, of those they have settled strictly."""
    shadow = AutomaticDecision.objects.filter(project=project, mode=Mode.SHADOW)
    if not shadow.exists():
        return None
    newest = shadow.filter(item=OuterRef("item")).order_by("-pk").values("label_class")[:1]
    settled = GroundTruth.objects.strict().filter(project=project, item__in=shadow.values("item")).order_by()
    found = settled.annotate(said=Subquery(newest)).aggregate(
        n=Count("pk"), right=Count("pk", filter=Q(label_class=F("said")))
    )
    return Proportion(found["right"], found["n"])


def decided_alone(project: Project) -> int:
    """Photos that stand as the machine decided them, and that people have not settled as well."""
    return decided([project])[project.pk]


def overruled_decisions(project: Project) -> int:
    """Automatic decisions that a person took back."""
    return AutomaticDecision.objects.filter(project=project, overruled__isnull=False).count()
