"""How much of a project is certified, and what became of its photos by that."""

from __future__ import annotations

from django.db.models import Count, F, OuterRef, Q, Subquery

from labeling.catalog.models import Project
from labeling.frontier.at_a_glance import decided
from labeling.frontier.certificates import in_force
from labeling.frontier.models import AssistedLabel, AutomaticDecision, Certificate, Mode
from labeling.frontier.parts import parts_of
from labeling.truth.current import is_disputed, is_settled
from labeling.truth.estimates import Proportion
from labeling.truth.models import GroundTruth, Origin
from labeling.truth.tallies import truths


def certified_share(project: Project) -> float | None:
    """Of the pool, inside the frontier: what the machine may decide alone. ``None`` where nothing is certified."""
    return shares_of(in_force(project))[0]


def shares_of(certificates: list[Certificate]) -> tuple[float | None, float]:
    """The same, and what one answer that agrees settles. The machine alone: each class by its part of the planned labels."""
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
