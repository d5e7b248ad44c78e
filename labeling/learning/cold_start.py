"""When a project without a model is ordered anew, as words may tell its photos better than typicality does."""

from __future__ import annotations

from typing import Any

from labeling.catalog import backbones
from labeling.catalog.models import Project
from labeling.jobs.models import JobState
from labeling.learning import selectors
from labeling.learning.training_set import readiness

#: Ground truths that words are judged on, of photos that they had no part in choosing: every second one until then.
LEAST = 10
#: Ground truths at which that is asked, and once more: some may be of photos that words chose more often than not.
ASKED_AT = (2 * LEAST, 3 * LEAST)


def is_due(project: Project, fresh: int) -> bool:
    """Whether, with ``fresh`` ground truths just now, there are as many as words are judged on. Free without words."""
    if not _has_words(project):
        return False
    if selectors.champion(project) is not None:
        return False
    total = readiness(project).total
    return any(total - fresh < enough <= total for enough in ASKED_AT)


def last_verdict(project: Project) -> dict[str, Any] | None:
    """What the newest order said of words and labels (``taken``: None while nothing judges them, else ``judged``, ``words``,
    ``labels``); None where words had no part in it. Free without words."""
    if not _has_words(project):
        return None
    ordered = selectors.jobs(project).filter(kind="rank", state=JobState.SUCCEEDED).first()
    return ((ordered and ordered.result) or {}).get("words")


def _has_words(project: Project) -> bool:
    return any(backbones.knows_words(name) for name in project.backbone_names)
