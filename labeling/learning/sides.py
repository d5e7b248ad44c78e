"""Near-duplicates stay on one side: what judges a version has none among what that version learned from."""

from __future__ import annotations

#: SQL over ``catalog_item i``, with ``%(snapshot)s``, the ids of the ground truths of a version: it learned from a
#: near-duplicate of the photo.
LEARNED_A_TWIN = """coalesce(i.twins_of IN (
    SELECT twin.twins_of FROM truth_groundtruth learned JOIN catalog_item twin ON twin.id = learned.item_id
    WHERE learned.id = ANY(%(snapshot)s::bigint[]) AND twin.twins_of IS NOT NULL), false)"""

#: The same where each row has a version of its own: SQL over ``catalog_item i`` and ``learning_modelversion m``.
ITS_VERSION_LEARNED_A_TWIN = """(i.twins_of IS NOT NULL AND EXISTS (
    SELECT 1 FROM catalog_item twin JOIN truth_groundtruth learned ON learned.item_id = twin.id
    JOIN learning_snapshot s ON s.id = m.snapshot_id
    WHERE twin.project_id = i.project_id AND twin.twins_of = i.twins_of AND learned.id = ANY(s.ground_truth_ids)))"""
