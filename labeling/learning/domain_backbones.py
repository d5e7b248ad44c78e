"""Backbones that were fitted to a project's own photos: which there are, which a training judges, which are in use."""

from __future__ import annotations

from django.db.models import QuerySet

from labeling.catalog.models import Project
from labeling.learning.models import DomainBackbone, ModelVersion

#: More labels than this want a longer training than a job gives them.
MOST_TO_FINE_TUNE = 5_000


def made(project: Project) -> QuerySet[DomainBackbone]:
    """Newest first."""
    return DomainBackbone.objects.filter(project=project).select_related("created_by", "job")


def candidates(project: Project) -> list[DomainBackbone]:
    """Those that a training judges: the newest of each method on the project's backbone, and the champion's own."""
    newest: dict[str, DomainBackbone] = {}
    for each in made(project).filter(base=project.backbone_name):
        newest.setdefault(each.method, each)
    in_use = DomainBackbone.objects.filter(name__in=_backbones_in_use(project), base=project.backbone_name)
    return list({each.pk: each for each in [*newest.values(), *in_use]}.values())


def to_embed(project: Project) -> list[str]:
    """Names of the backbones under which every photo needs an embedding, the project's own first.

    Beside it: the champion's, the newest version's (it may be promoted), and the candidates that no training has
    turned down yet.
    """
    newest = ModelVersion.objects.filter(project=project).order_by("-number").first()
    judged = set((newest.metrics.get("backbones") or {}).get("judged", [])) if newest else set()
    waiting = [each.name for each in candidates(project) if each.name not in judged]
    return list(dict.fromkeys([project.backbone_name, *_backbones_in_use(project), *waiting]))


def _backbones_in_use(project: Project) -> list[str]:
    """Of the champion and of the newest version, if they are domain backbones."""
    versions = ModelVersion.objects.filter(project=project)
    rows = [
        versions.filter(promotions__isnull=False).order_by("-promotions__id").first(),
        versions.order_by("-number").first(),
    ]
    return [row.backbone for row in rows if row is not None and row.backbone.startswith("domain:")]
