"""The inspections' side of what the rooms below tell: each is one call of a service, in the sender's transaction."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from labeling.catalog.models import Project
from labeling.inspections.capture.recognising import request_recognising
from labeling.queue.events import ranking_swapped


@receiver(ranking_swapped)
def recognise_shots(*, project: Project, **_: Any) -> None:
    """New photos have scores now, or there is another champion."""
    request_recognising(project=project)
