"""Which models learned from photos that were erased since. What a head took from them stays in its weights."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from labeling.catalog.models import Project
from labeling.learning.models import Lookalikes, ModelVersion
from labeling.truth.models import GroundTruth


def erased_of(version: ModelVersion) -> int:
    """How many of the photos that the version learned from were erased, or are about to be."""
    learned = GroundTruth.objects.filter(pk__in=version.snapshot.ground_truth_ids)
    return learned.filter(item__project__isnull=True).count()


def versions_that_learned(project: Project, item_ids: Collection[int]) -> list[tuple[int, int]]:
    """Number of each version that learned from some of these photos, and from how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH said AS (SELECT id FROM truth_groundtruth WHERE item_id = ANY(%(items)s))
            SELECT v.number, (SELECT count(*) FROM said WHERE said.id = ANY(s.ground_truth_ids)) AS learned
            FROM learning_modelversion v JOIN learning_snapshot s ON s.id = v.snapshot_id
            WHERE v.project_id = %(project)s AND s.ground_truth_ids && ARRAY(SELECT id FROM said)
            ORDER BY v.number
            """,
            {"project": project.pk, "items": list(item_ids)},
        )
        return list(cursor.fetchall())


def forget(item_ids: Collection[int]) -> None:
    """What was found of these photos, and is no record."""
    Lookalikes.objects.filter(item__in=item_ids).delete()
