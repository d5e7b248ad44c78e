"""How accurate a model version is: what people have said since of random photos, and what its training knew.

The one source of both on all pages and in the API. The first is the figure to trust, and is called *model accuracy*; the
second is of photos that a strategy chose, and is always called what was known *at training*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution, current_guideline
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.learning.sides import LEARNED_A_TWIN
from labeling.truth.estimates import Proportion
from labeling.truth.random_labels import kept_while_unchanged

#: Newest random labels that count: a version that serves for a year is judged by what came last.
NEWEST = 500
#: Photos drawn at random that must be settled before their accuracy leads what was known at training.
FAIR = 20

#: SQL over ``truth_groundtruth t`` and its ``catalog_item i``, with ``project`` and ``snapshot``: people settled it as a
#: class, blind, and the version learned neither from it nor from a near-duplicate.
JUDGES = f"""t.project_id = %(project)s AND t.kind = 'class' AND t.origin NOT IN ('gold', 'assisted') AND t.draw <> 'sweep'
  AND NOT EXISTS (SELECT 1 FROM truth_groundtruth n WHERE n.supersedes_id = t.id)
  AND NOT EXISTS (SELECT 1 FROM truth_groundtruth old
                  WHERE old.item_id = t.item_id AND old.id = ANY(%(snapshot)s::bigint[]))
  AND NOT {LEARNED_A_TWIN}"""  # noqa: S608

_AUDITED = f"""
SELECT t.label_class_id, s.predicted_id
FROM truth_groundtruth t
JOIN catalog_item i ON i.id = t.item_id
JOIN learning_score s ON s.item_id = t.item_id AND s.model_version_id = %(model)s
WHERE {JUDGES} AND i.project_id = %(project)s AND i.audit_drawn_at > %(made)s
ORDER BY t.id DESC LIMIT %(limit)s
"""  # noqa: S608


@dataclass(frozen=True)
class AtTraining:
    """``figure`` is {value, low, high}. ``random``: of photos drawn at random; else cross-validated."""

    figure: Mapping[str, float]
    n: int
    random: bool


@dataclass(frozen=True)
class Accuracy:
    """Of one version. ``audited``: random photos that people settled since it was made, and how many it is right on."""

    version: int
    audited: Proportion
    at_training: AtTraining | None

    @property
    def figure(self) -> dict[str, float] | None:
        """{value, low, high}; ``None`` before the first such photo."""
        share = self.audited.share
        return None if share is None else {"value": share, "low": self.audited.low, "high": self.audited.high}


def champion_accuracy(project: Project) -> Accuracy | None:
    """Kept until random labels say more. ``None`` before the first promotion."""
    model = champion(project)
    if model is None:
        return None
    about = (model.pk, current_guideline(project).pk)
    checks = kept_while_unchanged("accuracy", project, about, lambda: audited(model))
    return Accuracy(model.number, checks, at_training(model.metrics))


def accuracy_of(model: ModelVersion) -> Accuracy:
    return Accuracy(model.number, audited(model), at_training(model.metrics))


def audited(model: ModelVersion) -> Proportion:
    """Counted now. A photo that people hold or call unusable is of no class, so no version can be right on it."""
    resolution = class_resolution(model.project)
    with connection.cursor() as cursor:
        cursor.execute(
            _AUDITED,
            {
                "model": model.pk,
                "project": model.project_id,
                "snapshot": model.snapshot.ground_truth_ids,
                "made": model.snapshot.created_at,
                "limit": NEWEST,
            },
        )
        # A class that was retired since is no truth any more.
        pairs = [(resolution.get(settled), resolution.get(said)) for settled, said in cursor.fetchall()]
    known = [(settled, said) for settled, said in pairs if settled is not None]
    return Proportion(sum(settled == said for settled, said in known), len(known))


def at_training(metrics: Mapping[str, Any]) -> AtTraining | None:
    """What a version's training knew of it. A handful of random photos says less than "drawn at random" promises."""
    drawn, cross = metrics.get("audit"), metrics["cross_validated"]
    judge = drawn if drawn is not None and drawn["n"] >= FAIR else cross
    return AtTraining(judge["accuracy"], judge["n"], judge is drawn) if judge["accuracy"] else None
