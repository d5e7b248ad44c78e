"""The queue's side of what the rooms below tell: each is one call of a service, in the sender's transaction."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from labeling.catalog.events import items_added
from labeling.catalog.models import Project
from labeling.learning.events import embedded, promoted
from labeling.queue import services
from labeling.truth.events import disputed, reopened, settled


@receiver(items_added)
def on_items_added(*, project: Project, item_ids: list[int], **_: Any) -> None:
    services.append_arrivals(project=project, item_ids=item_ids)


@receiver([settled, disputed])
def on_finished(*, project: Project, item_id: int, **_: Any) -> None:
    services.remove_from_queue(project=project, item_id=item_id)


@receiver(reopened)
def on_reopened(*, project: Project, item_id: int, round: int, **_: Any) -> None:
    services.put_back(project=project, item_id=item_id, round=round)


@receiver([embedded, promoted])
def on_new_order_possible(*, project: Project, **_: Any) -> None:
    services.request_ranking(project=project)
