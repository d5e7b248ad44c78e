"""What the rooms below tell this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.dispatch import receiver

from labeling.catalog.events import metadata_said
from labeling.catalog.metadata.values import Value
from labeling.catalog.models import Project
from labeling.exchange.categories.mapping import map_later


@receiver(metadata_said)
def map_texts(*, project: Project, changed: Mapping[int, Mapping[str, Value | None]], **_: Any) -> None:
    map_later(project, changed)
