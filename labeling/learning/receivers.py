"""What the rooms below tell this one."""

from __future__ import annotations

from typing import Any

from labeling.catalog.models import Project
from labeling.learning import adaptation, services


def embed_new_items(sender: Any, *, project: Project, item_ids: list[int], **_: Any) -> None:
    if item_ids:
        services.request_embedding(project=project)


def embed_with_another_backbone(sender: Any, *, project: Project, changed: frozenset[str], **_: Any) -> None:
    if "backbone" in changed:
        services.request_embedding(project=project)


def retrain_after_settling(sender: Any, *, project: Project, **_: Any) -> None:
    services.retrain_when_due(project=project)


def adapt_to_the_pool(sender: Any, *, project: Project, **_: Any) -> None:
    adaptation.adapt_when_due(project=project)
    adaptation.train_when_adapted(project=project)
