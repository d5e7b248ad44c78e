"""When a project without a model is ordered anew, as words may tell its photos better than typicality does."""

from __future__ import annotations

from labeling.catalog import backbones
from labeling.catalog.models import Project
from labeling.learning import selectors
from labeling.learning.training_set import readiness

#: Ground truths that words are judged on first; until then photos come by typicality.
LEAST = 10
#: And when they are judged again: from then on labels order the photos by themselves, where words do not win.
AGAIN = 20


def is_due(project: Project, fresh: int) -> bool:
    """Whether, with ``fresh`` ground truths just now, there are as many as words are judged on. Free without words."""
    if not any(backbones.knows_words(name) for name in project.backbone_names):
        return False
    if selectors.champion(project) is not None:
        return False
    total = readiness(project).total
    return any(total - fresh < enough <= total for enough in (LEAST, AGAIN))
