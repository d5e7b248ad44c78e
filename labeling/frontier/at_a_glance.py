"""What the machine decides, how often it was right when checked, and what stands no more: of one project or of many.

Each answer takes as many queries for a hundred projects as for one, so a page across projects may ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from labeling.catalog.meaning import meaning_now, meanings_now
from labeling.catalog.models import Project
from labeling.frontier.certificates import in_force
from labeling.frontier.decisions.counts import Decided, decided_now
from labeling.frontier.models import (
    AuditWatch,
    Certificate,
    CertificateEnd,
    EndKind,
    PromiseKind,
    WatchedPart,
)
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion, champions
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
    models, meanings, standing = _standing(projects)
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

    counted = decided_now(projects)
    under = {each.pk for each in standing}
    return Glance(
        decided=_photos(counted),
        under_standing=_photos(each for each in counted if under & each.certificates),
        standing=standing,
        checked=_checked({pk for each in counted for pk in each.certificates}),
        fallen=[each for each in ends if each.kind == EndKind.VOID],
        suspended=[each for each in ends if each.kind == EndKind.SUSPENDED and doubts_today(each)],
    )


def _standing(
    projects: Sequence[Project],
) -> tuple[dict[int, ModelVersion], dict[int, int], list[Certificate]]:
    """Project id -> champion, and what the guideline means; and the certificates of both that have not ended."""
    if len(projects) == 1:  # whose page has asked for all three
        (project,) = projects
        model = champion(project)
        models = {project.pk: model} if model is not None else {}
        return models, {project.pk: meaning_now(project).pk}, in_force(project)
    models, meanings = champions(projects), meanings_now(projects)
    found = Certificate.objects.in_force().filter(
        project__in=projects,
        model_version__in=[each.pk for each in models.values()],
        guideline__in=meanings.values(),
    )
    return models, meanings, list(found.select_related("run__plan"))


def decided(projects: Sequence[Project]) -> Counter[int]:
    """As :class:`Glance` says."""
    return _photos(decided_now(projects))


def _photos(counted: Iterable[Decided]) -> Counter[int]:
    """By project, without those that people settled as well."""
    found = Counter[int]()
    for each in counted:
        if not each.settled:
            found[each.project_id] += each.n
    return found


def _checked(made: set[int]) -> dict[int, Proportion]:
    """As :class:`Glance` says: by the watches over the certificates ``made``."""
    by = Certificate.objects.filter(pk__in=made)
    alike = by.filter(model_version=OuterRef("model_version"), guideline=OuterRef("guideline"))
    delivered = Q(run__plan__promise=PromiseKind.DELIVERED)
    watches = AuditWatch.objects.filter(
        Exists(alike.filter(~delivered, label_class=OuterRef("label_class")))
        # A delivered set is watched over all classes at once.
        | Q(Exists(alike.filter(delivered)), label_class__isnull=True),
        model_version__in=by.values("model_version"),
        part=WatchedPart.MACHINE,
        n__gt=0,
    )
    right, asked = Counter[int](), Counter[int]()
    for each in watches:
        right[each.project_id] += each.n - each.errors
        asked[each.project_id] += each.n
    return {project: Proportion(right[project], n) for project, n in asked.items()}
