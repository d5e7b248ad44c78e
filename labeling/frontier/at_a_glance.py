"""What the machine decides, how often it was right when checked, and what stands no more: of one project or of many.

Each answer takes as many queries for a hundred projects as for one, so a page across projects may ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from labeling.catalog.meaning import meanings_now
from labeling.catalog.models import Project
from labeling.frontier.decision_counts import decided_now
from labeling.frontier.models import (
    AuditWatch,
    Certificate,
    CertificateEnd,
    EndKind,
    PromiseKind,
    WatchedPart,
)
from labeling.learning.selectors import champions
from labeling.truth.estimates import Proportion


@dataclass(frozen=True)
class Glance:
    """Of several projects, by project id where it is counted.

    Attributes:
        decided: photos that stand as the machine decided them, and that people have not settled as well.
        under_standing: of these, the photos that were decided by a certificate that stands.
        standing: certificates that allow something now: not ended, of the champion, of what the guideline means today.
        checked: of the machine's decisions by the certificates of what is ``decided``, those that people were asked about as
            well, by lot and blind, and how many were right. Without the projects of which none is settled.
        fallen: how the newest certificate of a class ended, where it became void and none stands; newest first.
        suspended: the same where it was suspended, and the version and the meaning that are doubted are still today's.
    """

    decided: Counter[int]
    under_standing: Counter[int]
    standing: list[Certificate]
    checked: dict[int, Proportion]
    fallen: list[CertificateEnd]
    suspended: list[CertificateEnd]


def glance(projects: Sequence[Project]) -> Glance:
    models, meanings = champions(projects), meanings_now(projects)
    standing = list(
        Certificate.objects.in_force()
        .filter(
            project__in=projects,
            model_version__in=[each.pk for each in models.values()],
            guideline__in=meanings.values(),
        )
        .select_related("run__plan")
    )
    newest = (
        Certificate.objects.filter(project__in=projects)
        .exclude(label_class__in=[each.label_class_id for each in standing])
        .order_by("label_class", "-pk")
        .distinct("label_class")
    )
    ends = CertificateEnd.objects.filter(certificate__in=newest.values("pk")).select_related("certificate")

    def doubts_today(end: CertificateEnd) -> bool:
        project, model = end.certificate.project_id, end.certificate.model_version_id
        now = models.get(project)
        return now is not None and now.pk == model and meanings[project] == end.certificate.guideline_id

    every, under_standing = _decided(projects, standing)
    return Glance(
        decided=every,
        under_standing=under_standing,
        standing=standing,
        checked=_checked(projects),
        fallen=[each for each in ends if each.kind == EndKind.VOID],
        suspended=[each for each in ends if each.kind == EndKind.SUSPENDED and doubts_today(each)],
    )


def decided(projects: Sequence[Project]) -> Counter[int]:
    """As :class:`Glance` says."""
    return _decided(projects, [])[0]


def _decided(projects: Sequence[Project], under: Sequence[Certificate]) -> tuple[Counter[int], Counter[int]]:
    """The same, and of these what was decided by a certificate of ``under``."""
    among = {each.pk for each in under}
    every, by = Counter[int](), Counter[int]()
    for each in decided_now(projects):
        every[each.project_id] += each.n
        by[each.project_id] += each.n if among & each.certificates else 0
    return every, +by


def _checked(projects: Sequence[Project]) -> dict[int, Proportion]:
    """As :class:`Glance` says: by the watches over these certificates."""
    made = {pk for each in decided_now(projects, settled_too=True) for pk in each.certificates}
    watched = {
        # A delivered set is watched over all classes at once.
        (model, guideline, None if promise == PromiseKind.DELIVERED else label_class)
        for model, guideline, label_class, promise in Certificate.objects.filter(pk__in=made).values_list(
            "model_version", "guideline", "label_class", "run__plan__promise"
        )
    }
    watches = AuditWatch.objects.filter(
        part=WatchedPart.MACHINE, n__gt=0, model_version__in={model for model, *_rest in watched}
    )
    right, asked = Counter[int](), Counter[int]()
    for each in watches:
        if (each.model_version_id, each.guideline_id, each.label_class_id) in watched:
            right[each.project_id] += each.n - each.errors
            asked[each.project_id] += each.n
    return {project: Proportion(right[project], n) for project, n in asked.items()}
