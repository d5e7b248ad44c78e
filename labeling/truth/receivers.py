"""Truth's side of what the catalog tells: in the sender's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.dispatch import receiver

from labeling.catalog.events import guideline_changed, settings_changed, work_measured
from labeling.catalog.models import Guideline, Project
from labeling.catalog.selectors import current_guideline
from labeling.truth import services
from labeling.truth.measured import measured

#: Settings that say when answers agree.
RULE = frozenset({"rule", "agreement_k", "answers_per_image"})


@receiver(guideline_changed)
def on_guideline_changed(*, project: Project, guideline: Guideline, **_: Any) -> None:
    """Two classes that were merged are no longer something to differ about."""
    services.settle_disputes_that_agree(project=project, guideline=guideline)


@receiver(settings_changed)
def on_settings_changed(*, project: Project, changed: Iterable[str], **_: Any) -> None:
    """Where two of three are enough from now on, a third opinion is nothing to differ about either."""
    if RULE & set(changed):
        services.settle_disputes_that_agree(project=project, guideline=current_guideline(project))


@receiver(work_measured)
def on_work_measured(*, project: Project, **_: Any) -> dict[str, float]:
    return measured(project)
