"""What the rooms below tell this one."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from labeling.catalog.models import Project
from labeling.explorer.laying_out import request_space
from labeling.learning.events import embedded


@receiver(embedded)
def place_in_space(*, project: Project, **_: Any) -> None:
    request_space(project=project)
