"""Settled photos that the champion scores like a given one: what a reviewer compares a dispute with."""

from __future__ import annotations

from django.db import connection

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.learning.models import Score
from labeling.learning.selectors import champion

# Nearest by the distance between the two probability vectors. Only settled photos are looked at, and of a large
# project the newest, so the cost does not grow with the pool.
_SQL = """
WITH here AS (
    SELECT probabilities FROM learning_score WHERE model_version_id = %(model)s AND item_id = %(item)s
), settled AS (
    SELECT t.item_id, t.label_class_id FROM truth_groundtruth t
    LEFT JOIN truth_groundtruth newer ON newer.supersedes_id = t.id
    WHERE t.project_id = %(project)s AND newer.id IS NULL AND t.kind = 'class' AND t.origin <> 'assisted'
      AND t.item_id <> %(item)s
    ORDER BY t.id DESC LIMIT %(most)s
), near AS (
    SELECT s.item_id, s.label_class_id,
           (SELECT sum(abs(a.p - b.p)) FROM unnest(x.probabilities) WITH ORDINALITY AS a (p, n)
            JOIN unnest(here.probabilities) WITH ORDINALITY AS b (p, n) USING (n)) AS distance
    FROM settled s CROSS JOIN here
    JOIN learning_score x ON x.item_id = s.item_id AND x.model_version_id = %(model)s
)
SELECT item_id, label_class_id FROM near ORDER BY distance, item_id DESC
"""
NEWEST = 5000


def similar_settled(project: Project, item_id: int, limit: int) -> dict[int, list[int]]:
    """Up to ``limit`` settled item ids a class in force (merges followed), nearest score first.

    Empty without a champion, or while the champion has not scored the photo.
    """
    model = champion(project)
    if model is None or not Score.objects.filter(model_version=model, item_id=item_id).exists():
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"model": model.pk, "item": item_id, "project": project.pk, "most": NEWEST})
        rows = cursor.fetchall()
    resolution = class_resolution(project)
    found: dict[int, list[int]] = {}
    for settled_item, label_class_id in rows:
        counts_as = resolution.get(label_class_id)
        if counts_as is not None and len(ids := found.setdefault(counts_as, [])) < limit:
            ids.append(settled_item)
    return found
