"""The monitors' side of what the rooms below tell: each is a call of a service, in the sender's transaction."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from labeling.catalog.models import Project
from labeling.frontier.events import suspended
from labeling.monitors import services
from labeling.queue.events import arrivals_placed, ranking_swapped


@receiver([ranking_swapped, arrivals_placed])
def on_new_scores(*, project: Project, **_: Any) -> None:
    """New photos have scores now."""
    services.monitor_when_due(project=project)


@receiver(suspended)
def on_suspended(*, project: Project, **_: Any) -> None:
    services.request_monitoring(project=project)
