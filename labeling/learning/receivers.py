"""What the rooms below tell this one."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from labeling.catalog.events import items_added, photos_put_back, photos_set_aside, settings_changed
from labeling.catalog.models import Project
from labeling.learning import lookalikes, services
from labeling.learning.adaptation import services as adaptation
from labeling.learning.events import embedded
from labeling.truth.events import disputed, imported, settled, similar_asked
from labeling.truth.models import Ruling


@receiver(items_added)
def embed_new_items(*, project: Project, item_ids: list[int], **_: Any) -> None:
    if item_ids:
        services.request_embedding(project=project)


@receiver(photos_put_back)
def embed_what_could_not_be_read(*, project: Project, **_: Any) -> None:
    services.request_embedding(project=project, compare_all=True)


@receiver(photos_set_aside)
def embed_what_may_be_another_picture(*, project: Project, **_: Any) -> None:
    services.request_embedding(project=project)


@receiver(settings_changed)
def embed_with_another_backbone(*, project: Project, changed: frozenset[str], **_: Any) -> None:
    if {"backbone", "further_backbones", "levels"} & changed:
        services.request_embedding(project=project)


@receiver([settled, imported])
def retrain_after_settling(*, project: Project, **_: Any) -> None:
    services.retrain_when_due(project=project)


@receiver([disputed, embedded])
def look_for_lookalikes(*, project: Project, **_: Any) -> None:
    lookalikes.request_lookalikes(project=project)


@receiver(settled, sender=Ruling)
def compare_with_what_was_ruled(*, project: Project, **_: Any) -> None:
    lookalikes.request_lookalikes(project=project)


@receiver(embedded)
def adapt_to_the_pool(*, project: Project, **_: Any) -> None:
    adaptation.adapt_when_due(project=project)
    adaptation.train_when_adapted(project=project)


@receiver(similar_asked)
def similar_by_embeddings(*, project: Project, item_id: int, limit: int, **_: Any) -> dict[int, list[int]]:
    return lookalikes.lookalikes_of(project, item_id, limit)
