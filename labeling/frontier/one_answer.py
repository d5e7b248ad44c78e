"""What one answer is worth here, with and without a machine: the honest comparison for what certificates save.

On photos that were drawn at random, the first blind answer is held against the first strict word on the photo, of which it
is part. So it is what would leave if one person answered each photo, compared with what leaves now. Nothing is certified
by it: what an answer that agrees with the machine may settle needs a proof of its own (``inference.certify.agreement``).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.frontier.promise import per_cent
from labeling.learning.models import ModelVersion
from labeling.learning.sides import ITS_VERSION_LEARNED_A_TWIN
from labeling.truth.estimates import Proportion
from labeling.truth.random_labels import kept_while_unchanged

#: Fewer random photos say too little to be told.
LEAST_TOLD = 30

# Each photo that was drawn is looked up by indexes: a subquery with an offset is no join, which the planner could turn into
# a scan of all ground truths. A photo's first strict word: what agreement or a ruling settled first, whatever superseded it.
# Whoever was shown a prediction in a sweep, also of this photo later, was not blind.
_COUNTED = f"""
WITH resolved AS (SELECT * FROM unnest(%(classes)s::bigint[], %(counts_as)s::bigint[]) AS r (class_id, counts_as)),
drawn AS (
    SELECT i.id, t.kind, t.label_class_id AS class_id, said.kind AS said_kind, said.label_class_id AS said_id,
           s.predicted_id,
           (SELECT count(*) FROM truth_annotation a WHERE a.item_id = i.id AND a.draw <> 'gold')
           + (SELECT count(*) FROM truth_ruling u JOIN truth_dispute d ON d.id = u.dispute_id
              WHERE d.item_id = i.id AND u.reviewer_id IS NOT NULL) AS decisions
    FROM (SELECT id, project_id, twins_of FROM catalog_item
          WHERE project_id = %(project)s AND audit_drawn_at IS NOT NULL OFFSET 0) i
    CROSS JOIN LATERAL (
        SELECT t.id, t.kind, t.label_class_id FROM truth_groundtruth t
        WHERE t.item_id = i.id AND t.origin IN ('agreement', 'ruling') AND t.draw <> 'sweep'
          AND NOT EXISTS (SELECT 1 FROM truth_groundtruth e WHERE e.item_id = i.id AND e.id < t.id
                          AND e.kind <> 'withdrawn' AND e.origin <> 'assisted') OFFSET 0) t
    CROSS JOIN LATERAL (
        SELECT a.kind, a.label_class_id FROM truth_annotation a
        WHERE a.item_id = i.id AND a.round = 1 AND a.draw <> 'gold'
          AND NOT EXISTS (SELECT 1 FROM truth_retraction x WHERE x.annotation_id = a.id)
        ORDER BY a.id LIMIT 1) said
    LEFT JOIN learning_modelversion m ON m.id = %(model)s
    LEFT JOIN LATERAL (
        SELECT predicted_id FROM learning_score WHERE item_id = i.id AND model_version_id = m.id OFFSET 0) s
        ON t.id NOT IN (SELECT unnest(ground_truth_ids) FROM learning_snapshot WHERE id = %(snapshot)s)
        AND NOT {ITS_VERSION_LEARNED_A_TWIN}
    WHERE NOT EXISTS (SELECT 1 FROM truth_gold g WHERE g.item_id = i.id)
      AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id)),
judged AS (
    SELECT d.decisions,
           d.said_kind = d.kind AND (d.kind <> 'class' OR settled.counts_as = said.counts_as) AS is_right,
           d.said_kind = 'class' AND said.counts_as = d.predicted_id AS agrees
    FROM drawn d
    LEFT JOIN resolved settled ON settled.class_id = d.class_id
    LEFT JOIN resolved said ON said.class_id = d.said_id)
SELECT count(*), count(*) FILTER (WHERE is_right), coalesce(sum(decisions), 0),
       count(*) FILTER (WHERE agrees), count(*) FILTER (WHERE agrees AND is_right)
FROM judged
"""  # noqa: S608


@dataclass(frozen=True)
class OneAnswer:
    """Of random photos that people settled strictly.

    Attributes:
        alone: whose first blind answer was what strict labels say.
        agreeing: the same of those whose first answer is what the champion predicts, out of its sample.
        decisions: answers and rulings that these photos took, all together.
    """

    alone: Proportion
    agreeing: Proportion
    decisions: int

    @property
    def a_photo(self) -> float | None:
        """Human decisions that strict labels take a photo; one answer each takes 1."""
        return self.decisions / self.alone.whole if self.alone.whole else None

    @property
    def says(self) -> str:
        """In words; nothing where too few photos speak."""
        if self.alone.whole < LEAST_TOLD or self.alone.share is None or self.a_photo is None:
            return ""
        told = _(
            "For comparison, one answer a photo and no machine: on %(n)d random photos the first blind answer is what "
            "strict labels say in %(share)s (95\u00a0%% interval %(low)s to %(high)s), for 1 human decision instead of "
            "%(cost)s."
        ) % {
            "n": self.alone.whole,
            "share": per_cent(self.alone.share),
            "low": per_cent(self.alone.low),
            "high": per_cent(self.alone.high),
            "cost": f"{self.a_photo:.2f}",
        }
        if self.agreeing.whole < LEAST_TOLD or self.agreeing.share is None:
            return told
        return " ".join(
            [
                told,
                _(
                    "Where it is also what the model predicts (%(n)d photos), in %(share)s. That is measured, not certified."
                )
                % {"n": self.agreeing.whole, "share": per_cent(self.agreeing.share)},
            ]
        )


def one_answer(project: Project, model: ModelVersion | None) -> OneAnswer:
    """One look over the random labels there are."""
    resolution = class_resolution(project)
    given = {
        "project": project.pk,
        "model": model.pk if model else None,
        "snapshot": model.snapshot_id if model else None,
        "classes": list(resolution),
        "counts_as": list(resolution.values()),
    }

    def counted() -> tuple[int, ...]:
        with connection.cursor() as cursor:
            cursor.execute(_COUNTED, given)
            return tuple(cursor.fetchone())

    photos, right, decisions, agreeing, agreeing_right = kept_while_unchanged(
        "one-answer", project, given, counted
    )
    return OneAnswer(Proportion(right, photos), Proportion(agreeing_right, agreeing), int(decisions))
