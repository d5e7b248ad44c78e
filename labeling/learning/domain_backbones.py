"""A project's backbones beside its own: fitted to its photos or brought in, judged by a training, or in use."""

from __future__ import annotations

from django.db.models import QuerySet

from labeling.catalog.models import Project
from labeling.learning.models import BROUGHT_IN, DomainBackbone, ModelVersion

#: How the gate's report calls entries that are no backbone of the registry: tuned in the training, several as one.
FINE_TUNED, FUSED = "finetune", "fused"
#: More labels than this want a longer training than a job gives them.
MOST_TO_FINE_TUNE = 5_000


def made(project: Project) -> QuerySet[DomainBackbone]:
    """Newest first."""
    return DomainBackbone.objects.filter(project=project).select_related("created_by", "job")


def candidates(project: Project) -> list[DomainBackbone]:
    """Those that a training judges: the newest of each method on each of the project's backbones, and the champion's own."""
    newest: dict[tuple[str, str], DomainBackbone] = {}
    for each in made(project).filter(base__in=project.backbone_names):
        newest.setdefault((each.base, each.method), each)
    used = DomainBackbone.objects.filter(name__in=in_use(project), base__in=project.backbone_names)
    return list({each.pk: each for each in [*newest.values(), *used]}.values())


def brought_in(project: Project) -> ModelVersion | None:
    """The classifier that was brought in last, whose logits a training judges as it does a backbone's vectors."""
    return (
        ModelVersion.objects.filter(project=project, manifest__origin=BROUGHT_IN).order_by("-number").first()
    )


def brought_in_under(version: ModelVersion) -> QuerySet[ModelVersion]:
    """The classifiers that were brought in and that a version stands on, itself too."""
    hashes = [part.backbone_hash for part in version.parts]
    return ModelVersion.objects.filter(
        project=version.project_id, manifest__origin=BROUGHT_IN, backbone_hash__in=hashes
    )


def to_embed(project: Project) -> list[str]:
    """Names of the backbones under which every photo needs an embedding, the project's own first.

    Beside it: the champion's (also such as the project was told to drop since), the newest version's (it may be promoted),
    its further ones, and the candidates that no training has turned down yet.
    """
    newest = ModelVersion.objects.filter(project=project).order_by("-number").first()
    judged = set((newest.metrics.get("backbones") or {}).get("judged", [])) if newest else set()
    waiting = [each.name for each in candidates(project) if each.name not in judged]
    return list(dict.fromkeys([project.backbone_name, *in_use(project), *project.backbone_names, *waiting]))


def in_use(project: Project) -> list[str]:
    """Names of the backbones of the champion and of the newest version."""
    versions = ModelVersion.objects.filter(project=project)
    rows = [
        versions.filter(promotions__isnull=False).order_by("-promotions__id").first(),
        versions.order_by("-number").first(),
    ]
    return [part.backbone for row in rows if row is not None for part in row.parts]
