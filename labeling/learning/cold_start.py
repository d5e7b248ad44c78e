"""When a project without a model is ordered anew, as words may tell its photos better than typicality does."""

from __future__ import annotations

from typing import Any

from labeling.catalog import backbones
from labeling.catalog.models import Project
from labeling.jobs.models import JobState
from labeling.learning import selectors
from labeling.learning.training_set import readiness

#: Ground truths that words are judged on first; until then photos come by typicality.
LEAST = 10
#: And when they are judged again: from then on labels order the photos by themselves, where words do not win.
AGAIN = 20


def is_due(project: Project, fresh: int) -> bool:
    """Whether, with ``fresh`` ground truths just now, there are as many as words are judged on. Free without words."""
    if not _has_words(project):
        return False
    if selectors.champion(project) is not None:
        return False
    total = readiness(project).total
    return any(total - fresh < enough <= total for enough in (LEAST, AGAIN))


def last_verdict(project: Project) -> dict[str, Any] | None:
    """What the newest order said of words and labels (``judged``, ``words``, ``labels``, ``taken``); None where it had
    nothing to compare. Free without words."""
    if not _has_words(project):
        return None
    ordered = selectors.jobs(project).filter(kind="rank", state=JobState.SUCCEEDED).first()
    return ((ordered and ordered.result) or {}).get("words")


def _has_words(project: Project) -> bool:
    return any(backbones.knows_words(name) for name in project.backbone_names)
