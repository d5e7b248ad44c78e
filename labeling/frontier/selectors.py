"""Where the frontier stands, for its page and the API: policy, certificates, walks, decisions, audits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.catalog.models import ClassDefinition, Guideline, Project
from labeling.catalog.selectors import active_definitions, class_names, current_guideline
from labeling.frontier.arrivals import Unusual, unusual_arrivals
from labeling.frontier.auditing import GO_ON_AT, open_audits, paused_classes
from labeling.frontier.certificates import in_force
from labeling.frontier.drawing import MOST_DRAWN, labels_lacking
from labeling.frontier.models import (
    AuditWatch,
    AutomaticDecision,
    Certificate,
    CertificationRun,
    DecisionQuerySet,
    EndKind,
    FrontierPolicy,
    Mode,
    WatchedPart,
)
from labeling.frontier.policy import policy_of
from labeling.frontier.promise import Promise, promise
from labeling.jobs.models import Job
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.refusals import Refused
from labeling.truth.estimates import Proportion
from labeling.truth.models import GroundTruth


@dataclass(frozen=True)
class ClassStatus:
    """One predicted class: its certificate in force, or the one suspended under the champion; and its newest walk."""

    definition: ClassDefinition
    position: int
    state: str
    certificate: Certificate | None
    walk: Mapping[str, Any] | None
    watch: AuditWatch | None
    says: str
    open_audits: int
    paused: bool

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
    def steps(self) -> list[Mapping[str, Any]]:
        return list(self.walk["steps"]) if self.walk else []

    @property
    def lacks(self) -> int | None:
        """Labels of its region that the next threshold lacks, as many as can be asked for at once."""
        wanted = labels_lacking(self.walk) if self.walk and self.state != "suspended" else None
        return min(wanted, MOST_DRAWN) if wanted else None

    @property
    def ladder(self) -> list[dict[str, Any]]:
        """Steps as slices of the class's photos from the surest inward: ``at`` and ``width`` are per mille."""
        found, before = [], 0.0
        for step in self.steps:
            state = step["state"]
            if state == "before the start" and self.state != "open":
                state = "certified"  # the certified region is all that lies outside its threshold
            if self.state == "suspended" and state == "certified":
                state = "suspended"
            found.append(
                {
                    "at": round(1000 * before),
                    "width": max(round(1000 * (step["share"] - before)), 1),
                    "state": state.replace(" ", "-"),
                    "said": str(_STATES.get(state, state)),
                }
            )
            before = step["share"]
        return found


_STATES = {
    "certified": gettext_lazy("certified"),
    "suspended": gettext_lazy("suspended"),
    "failed": gettext_lazy("not proven yet"),
    "not reached": gettext_lazy("not reached"),
    "before the start": gettext_lazy("carried by the next"),
}


@dataclass(frozen=True)
class FrontierStatus:
    """``state``: no_model, not_asked, certifying, certified, suspended or uncertified; ``says``: it in a sentence."""

    policy: FrontierPolicy
    model: ModelVersion | None
    guideline: int
    state: str
    says: str
    classes: list[ClassStatus]
    look: CertificationRun | None
    jobs: list[Job]
    decided: int
    shadow: Proportion | None
    overruled: int
    to_draw: int
    coverage: float | None
    promise: Promise
    unusual: Unusual | None


def frontier_status(project: Project) -> FrontierStatus:
    policy = policy_of(project)
    model = champion(project)
    guideline = current_guideline(project)
    jobs = list(
        Job.objects.live()
        .of_project(project.pk)
        .filter(kind__in=["certify", "decide", "watch"])
        .order_by("created_at")
    )
    look = (
        CertificationRun.objects.filter(project=project, plan__model_version=model, plan__guideline=guideline)
        .select_related("plan")
        .first()
        if model is not None
        else None
    )
    classes = _classes(project, model, guideline, look)
    state = _state(model, look, jobs, classes)
    coverage = certified_share(project)
    decisions = AutomaticDecision.objects.filter(project=project)
    return FrontierStatus(
        policy=policy,
        model=model,
        guideline=guideline.number,
        state=state,
        says=_says(state, policy, classes, look, coverage),
        classes=classes,
        look=look,
        jobs=jobs,
        decided=decided_alone(project),
        shadow=shadow_agreement(project),
        overruled=decisions.filter(overruled__isnull=False).count(),
        to_draw=_to_draw(classes, look),
        coverage=coverage,
        promise=promise(project, policy, look),
        unusual=unusual_arrivals(look.plan_id) if look is not None else None,
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
    return max(math.ceil(min(wanted)) - pending, 0) if wanted else 0


def _classes(
    project: Project, model: ModelVersion | None, guideline: Guideline, look: CertificationRun | None
) -> list[ClassStatus]:
    if model is None:
        return []
    allowed = {each.label_class_id: each for each in in_force(project)}
    suspended = {
        each.label_class_id: each
        for each in Certificate.objects.filter(
            project=project, model_version=model, guideline=guideline, ends__kind=EndKind.SUSPENDED
        ).order_by("id")
    }
    watched = AuditWatch.objects.filter(model_version=model, guideline=guideline, part=WatchedPart.MACHINE)
    watches = {each.label_class_id: each for each in watched if each.label_class_id is not None}
    waiting, paused = open_audits(project), paused_classes(project)
    found = []
    for position, definition in enumerate(active_definitions(project)):
        class_id = definition.label_class_id
        if class_id not in model.classes:
            continue
        certificate = allowed.get(class_id) or suspended.get(class_id)
        state = "certified" if class_id in allowed else "suspended" if class_id in suspended else "open"
        walk = look.walks.get(str(class_id)) if look else None
        found.append(
            ClassStatus(
                definition,
                position,
                state,
                certificate,
                walk,
                watches.get(class_id),
                _class_says(state, certificate, walk),
                len(waiting.get(class_id, ())),
                state == "certified" and class_id in paused,
            )
        )
    return found


def _class_says(state: str, certificate: Certificate | None, walk: Mapping[str, Any] | None) -> str:
    if state == "suspended" and certificate is not None:
        end = certificate.ends.filter(kind=EndKind.SUSPENDED).first()
        return _("Suspended: %(why)s. Its photos went back to people.") % {"why": _why(end)}
    if walk is None:
        return _("Not looked at yet.")
    following = next((step for step in walk["steps"] if step["state"] == "failed"), None)
    if following is None and state == "certified":
        return _("Certified to the boundary.")
    if following is None:
        return _("Too few labels are planned for this class: no step could pass. Plan more of them.")
    return needs(following)


def needs(step: Mapping[str, Any]) -> str:
    """What the next step inward still wants, in words."""
    least, likely = step["more_without_errors"], step["more_at_present_rate"]
    if least is None:
        return _("The next step inward is wrong too often to pass.")
    told = ngettext(
        "The next step inward needs %(n)d more random label of its region, if none is wrong",
        "The next step inward needs %(n)d more random labels of its region, if none is wrong",
        least,
    ) % {"n": least}
    if likely is None:
        return told + "; " + _("at the present rate of errors no number would do.")
    if likely != least:
        return told + "; " + _("about %(n)d at the present rate.") % {"n": likely}
    return told + "."


def _why(end: Any) -> str:
    if end is None:
        return ""
    if end.reason == "audit" and end.figures:
        return _("%(errors)d of %(n)d audited decisions were wrong") % {
            "errors": end.figures["errors"],
            "n": end.figures["audited"],
        }
    return end.note or str(end.get_reason_display())


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


def _says(
    state: str,
    policy: FrontierPolicy,
    classes: list[ClassStatus],
    look: CertificationRun | None,
    coverage: float | None,
) -> str:
    wish = f"{policy.precision:.1%}".replace(".0%", "%").replace("%", " %")
    if state == "no_model":
        return _("No model yet. A certificate is of a model version: train one and promote it first.")
    if state == "not_asked":
        return _(
            "Nothing is certified. Ask for it, and the random labels are held against the model's predictions."
        )
    if state == "certifying":
        return _("Walking inward. The page shows the steps when they are done.")
    if state == "suspended":
        names = ", ".join(each.definition.name for each in classes if each.state == "suspended")
        return _("Suspended for %(classes)s: the machine decides no more of it.") % {"classes": names}
    if state == "certified":
        return _("%(share)s of the pool is certified to be right at least %(wish)s of the time.") % {
            "share": f"{coverage or 0:.0%}".replace("%", " %"),
            "wish": wish,
        }
    used = look.counts["used"] if look else 0
    if not used:
        return _("No random label counts yet. Labels count that the audit draws after the model was trained.")
    return ngettext(
        "%(n)d random label proves no precision of %(wish)s yet.",
        "%(n)d random labels prove no precision of %(wish)s yet.",
        used,
    ) % {"n": used, "wish": wish}


def certified_share(project: Project) -> float | None:
    """Of the pool, inside the frontier, each class by its part of the planned labels; ``None`` where none is certified."""
    certified = in_force(project)
    if not certified:
        return None
    found = 0.0
    for each in certified:
        planned: dict[str, int] = each.run.plan.planned
        found += each.coverage * planned.get(str(each.label_class_id), 0) / max(sum(planned.values()), 1)
    return found


def shadow_agreement(project: Project) -> Proportion | None:
    """How often people settled a photo as the machine would have decided it, of those they have settled strictly."""
    shadow = AutomaticDecision.objects.filter(project=project, mode=Mode.SHADOW)
    settled = GroundTruth.objects.strict().filter(project=project, item__in=shadow.values("item"))
    said = dict(shadow.values_list("item_id", "label_class_id"))
    if not said:
        return None
    rows = list(settled.values_list("item_id", "label_class_id"))
    return Proportion(sum(said[item] == settled_as for item, settled_as in rows), len(rows))


def decided_alone(project: Project) -> int:
    """Photos that stand as the machine decided them, and that people have not settled as well."""
    settled = GroundTruth.objects.current().filter(project=project).values("item")
    standing_now = AutomaticDecision.objects.standing().filter(project=project)
    return standing_now.exclude(item__in=settled).values("item").distinct().count()


def decisions(project: Project) -> DecisionQuerySet:
    """All, shadow ones too, with what became of them."""
    return (
        AutomaticDecision.objects.filter(project=project)
        .select_related(
            "item__image",
            "label_class",
            "model_version",
            "certificate__guideline",
            "certificate__run__plan",
            "overruled__by",
        )
        .annotate(suspended=Count("certificate__ends", filter=_suspended()))
    )


def decision_to_tell(project: Project, decision_id: int) -> AutomaticDecision | None:
    """One of :func:`decisions`. Raises :class:`Refused` ``asked_blind`` (409) while people are asked about its photo."""
    found = decisions(project).filter(pk=decision_id).first()
    if found is not None and not AutomaticDecision.objects.filter(pk=decision_id).told().exists():
        raise Refused(
            "asked_blind",
            _("People are asked about this photo, blind. The decision is told once they have settled it."),
        )
    return found


def _suspended() -> Any:
    return Q(certificate__ends__kind=EndKind.SUSPENDED)


def became(decision: AutomaticDecision) -> str:
    """standing, shadow, overruled or suspended. The decision comes from :func:`decisions`."""
    if hasattr(decision, "overruled"):
        return "overruled"
    if getattr(decision, "suspended", 0):
        return "suspended"
    return "shadow" if decision.mode == Mode.SHADOW else "standing"


@dataclass(frozen=True)
class Explained:
    """A decision as a person can check it: all classes' probabilities, the certificate, what people made of it."""

    decision: AutomaticDecision
    became: str
    scores: list[tuple[str, float]]
    truth: GroundTruth | None
    name: str
    truth_name: str


def explain(project: Project, decision: AutomaticDecision) -> Explained:
    names = class_names(current_guideline(project))
    truth = GroundTruth.objects.current().filter(item=decision.item_id).select_related("label_class").first()
    settled = truth.label_class if truth else None
    return Explained(
        decision=decision,
        became=became(decision),
        scores=[
            (names.get(class_id, "?"), share)
            for class_id, share in zip(decision.model_version.classes, decision.probabilities, strict=True)
        ],
        truth=truth,
        name=names.get(decision.label_class_id, decision.label_class.key),
        truth_name=names.get(settled.pk, settled.key) if settled else "",
    )
