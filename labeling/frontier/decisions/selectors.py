"""Automatic decisions as people are told of them: what became of each, and one explained."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Case, CharField, OuterRef, Q, QuerySet, TextChoices, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_names, class_resolution, current_guideline
from labeling.database.planner import LookedUp
from labeling.frontier.models import AutomaticDecision, CertificateEnd, DecisionQuerySet, EndKind, Mode
from labeling.refusals import Refused
from labeling.truth.models import GroundTruth, TruthKind


class Outcome(TextChoices):
    """What became of a decision. ``right`` and ``wrong``: what people say, blind and strictly, of its photo."""

    STANDS = "stands", gettext_lazy("stands")
    RIGHT = "right", gettext_lazy("audited, right")
    WRONG = "wrong", gettext_lazy("audited, wrong")
    OVERRULED = "overruled", gettext_lazy("overruled")
    WITHDRAWN = "withdrawn", gettext_lazy("withdrawn")
    SHADOW = "shadow", gettext_lazy("shadow")

    @property
    def look(self) -> str:
        """How a badge shows it."""
        return _LOOKS.get(self, "bad")


_LOOKS = {Outcome.STANDS: "good", Outcome.RIGHT: "good", Outcome.SHADOW: ""}


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
        .annotate(suspended=LookedUp(_suspended()))
    )


def _suspended() -> QuerySet[CertificateEnd]:
    return CertificateEnd.objects.filter(certificate=OuterRef("certificate"), kind=EndKind.SUSPENDED)


def with_outcome(project: Project, chosen: DecisionQuerySet) -> DecisionQuerySet:
    """``chosen`` of :func:`decisions`, each with its ``outcome``.

    Who withdrew a certificate put all that it had decided in doubt; an audit that was answered says more.
    """
    settled = GroundTruth.objects.strict().filter(item=OuterRef("item"))
    classes = settled.filter(kind=TruthKind.CLASS)
    alike = Q(LookedUp(classes.filter(label_class=OuterRef("label_class"))))
    for merged in _merged(project):
        alike |= Q(LookedUp(classes.filter(label_class_id__in=merged)), label_class_id__in=merged)
    doubted = Q(suspended=True)
    outcome = Case(
        When(overruled__isnull=False, then=Value(Outcome.OVERRULED)),
        When(mode=Mode.SHADOW, then=Value(Outcome.SHADOW)),
        When(doubted & Q(audit=False), then=Value(Outcome.WITHDRAWN)),
        When(alike, then=Value(Outcome.RIGHT)),
        When(LookedUp(settled), then=Value(Outcome.WRONG)),
        When(doubted, then=Value(Outcome.WITHDRAWN)),
        default=Value(Outcome.STANDS),
        output_field=CharField(),
    )
    return chosen.annotate(outcome=outcome)


def _merged(project: Project) -> list[list[int]]:
    """Classes that count as one today, of those where it is more than one."""
    alike = defaultdict(list)
    for class_id, counts_as in class_resolution(project).items():
        if counts_as is not None:
            alike[counts_as].append(class_id)
    return [each for each in alike.values() if len(each) > 1]


def decision_to_tell(project: Project, decision_id: int) -> AutomaticDecision | None:
    """One of :func:`decisions`, with its outcome. Raises :class:`Refused` ``asked_blind`` (409) while people are asked about
    its photo."""
    found = with_outcome(project, decisions(project)).filter(pk=decision_id).first()
    if found is not None and not AutomaticDecision.objects.filter(pk=decision_id).told().exists():
        raise Refused(
            "asked_blind",
            _("People are asked about this photo, blind. The decision is told once they have settled it."),
        )
    return found


def became(decision: AutomaticDecision) -> str:
    """standing, shadow, overruled or suspended, for programs. The decision comes from :func:`decisions`."""
    if hasattr(decision, "overruled"):
        return "overruled"
    if getattr(decision, "suspended", False):
        return "suspended"
    return "shadow" if decision.mode == Mode.SHADOW else "standing"


@dataclass(frozen=True)
class Explained:
    """A decision as a person can check it: all classes' probabilities, the certificate, what people made of it."""

    decision: AutomaticDecision
    became: str
    outcome: Outcome
    scores: list[tuple[str, float]]
    truth: GroundTruth | None
    name: str
    truth_name: str


def explain(project: Project, decision: AutomaticDecision) -> Explained:
    """The decision comes from :func:`decision_to_tell`."""
    names = class_names(current_guideline(project))
    truth = GroundTruth.objects.current().filter(item=decision.item_id).select_related("label_class").first()
    settled = truth.label_class if truth else None
    return Explained(
        decision=decision,
        became=became(decision),
        outcome=Outcome(getattr(decision, "outcome")),  # noqa: B009 - annotated
        scores=[
            (names.get(class_id, "?"), share)
            for class_id, share in zip(decision.model_version.classes, decision.probabilities, strict=True)
        ],
        truth=truth,
        name=names.get(decision.label_class_id, decision.label_class.key),
        truth_name=names.get(settled.pk, settled.key) if settled else "",
    )
