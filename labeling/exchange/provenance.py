"""Answers and ground truths with everything that is known of how they came about. For pages of the API, exports and feeds.

Plain SQL: one row an answer or truth, its dispute and ruling beside it, in the order of the key, with no query a row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.frontier import standing

CHUNK = 2000
#: Of a stream whose reader takes nothing: then the database ends its snapshot, which keeps others from tidying up.
STALLED = "5min"

_ANNOTATIONS = f"""
SELECT a.id, a.key::text AS key, i.sha256, it.name, it.source, a.round, u.username AS labeler, a.kind,
       coalesce(c.key, '') AS class, coalesce(now_c.key, '') AS class_now, a.reason, a.comment, a.checklist,
       g.number AS guideline, a.draw, a.context, a.shown_at, a.view_ms, a.created_at,
       r.created_at AS retracted_at, before.annotation_id AS replaces,
       d.id::text AS dispute, d.cause AS dispute_cause,
       ru.outcome AS ruling, coalesce(rc.key, '') AS ruling_class, rev.username AS reviewer,
       ru.created_at AS ruled_at,
       t.id AS ground_truth, coalesce(tc.key, '') AS ground_truth_class, t.kind AS ground_truth_kind,
       {standing.PROMISE_OF_TRUTH} AS ground_truth_promise,
       t.origin AS ground_truth_origin
FROM truth_annotation a
JOIN catalog_item it ON it.id = a.item_id AND it.project_id IS NOT NULL
JOIN catalog_image i ON i.id = it.image_id
JOIN people_user u ON u.id = a.labeler_id
JOIN catalog_guideline g ON g.id = a.guideline_id
LEFT JOIN catalog_labelclass c ON c.id = a.label_class_id
LEFT JOIN unnest(%(old)s::bigint[], %(new)s::bigint[]) AS res (old_id, new_id) ON res.old_id = a.label_class_id
LEFT JOIN catalog_labelclass now_c ON now_c.id = res.new_id
LEFT JOIN truth_retraction r ON r.annotation_id = a.id
LEFT JOIN truth_retraction before ON before.id = a.replaces_id
LEFT JOIN LATERAL (
    SELECT * FROM truth_dispute WHERE item_id = a.item_id AND round = a.round AND a.draw <> 'gold'
    ORDER BY created_at DESC, id LIMIT 1) d ON true
LEFT JOIN truth_ruling ru ON ru.dispute_id = d.id
LEFT JOIN catalog_labelclass rc ON rc.id = ru.label_class_id
LEFT JOIN people_user rev ON rev.id = ru.reviewer_id
LEFT JOIN LATERAL (
    SELECT found.* FROM truth_groundtruth found
    WHERE found.item_id = a.item_id AND found.kind <> 'withdrawn'
      AND NOT EXISTS (SELECT 1 FROM truth_groundtruth newer WHERE newer.supersedes_id = found.id)
    LIMIT 1) t ON true
LEFT JOIN catalog_labelclass tc ON tc.id = t.label_class_id
{standing.HELPED}
WHERE a.project_id = %(project)s AND a.id > %(after)s
  AND (%(promise)s = '' OR {standing.PROMISE_OF_TRUTH} = %(promise)s)
ORDER BY a.id
"""  # noqa: S608

#: Stands where a page says whether it wants all, or those in force. As a parameter beside OR, the planner would look up all.
WHICH = "/* which */ true"
_IN_FORCE = """found.kind <> 'withdrawn'
      AND NOT EXISTS (SELECT 1 FROM truth_groundtruth newer WHERE newer.supersedes_id = found.id)"""
_GROUND_TRUTHS = f"""
SELECT t.id, i.sha256, it.name, it.source, t.kind, coalesce(c.key, '') AS class,
       coalesce(now_c.key, '') AS class_now, t.origin, t.draw, g.number AS guideline, t.created_at,
       (t.kind <> 'withdrawn' AND newer.id IS NULL) AS in_force,
       t.supersedes_id AS supersedes, newer.id AS superseded_by, newer.created_at AS superseded_at,
       d.id::text AS dispute, d.cause AS dispute_cause, ru.outcome AS ruling, ru.reason AS ruling_reason,
       ru.comment AS ruling_comment, rev.username AS reviewer, ru.created_at AS ruled_at,
       coalesce(answers.ids, ARRAY[]::bigint[]) AS annotations,
       coalesce(answers.labelers, ARRAY[]::varchar[]) AS labelers,
       {standing.PROMISE_OF_TRUTH} AS promise, {standing.STATED_OF_TRUTH} AS stated
FROM (
    SELECT found.* FROM truth_groundtruth found
    WHERE found.project_id = %(project)s AND found.id > %(after)s AND (%(gold)s OR found.origin <> 'gold')
      AND EXISTS (SELECT 1 FROM catalog_item held WHERE held.id = found.item_id AND held.project_id IS NOT NULL OFFSET 0)
      AND {WHICH}
    ORDER BY found.id LIMIT %(of_all)s) t
JOIN catalog_item it ON it.id = t.item_id
JOIN catalog_image i ON i.id = it.image_id
JOIN catalog_guideline g ON g.id = t.guideline_id
LEFT JOIN catalog_labelclass c ON c.id = t.label_class_id
LEFT JOIN unnest(%(old)s::bigint[], %(new)s::bigint[]) AS res (old_id, new_id) ON res.old_id = t.label_class_id
LEFT JOIN catalog_labelclass now_c ON now_c.id = res.new_id
LEFT JOIN truth_groundtruth newer ON newer.supersedes_id = t.id
LEFT JOIN truth_ruling ru ON ru.id = t.ruling_id
LEFT JOIN truth_dispute d ON d.id = ru.dispute_id
LEFT JOIN people_user rev ON rev.id = ru.reviewer_id
LEFT JOIN LATERAL (
    SELECT array_agg(a.id ORDER BY a.id) AS ids, array_agg(u.username ORDER BY a.id) AS labelers
    FROM truth_annotation a
    JOIN people_user u ON u.id = a.labeler_id
    LEFT JOIN truth_retraction r ON r.annotation_id = a.id AND r.created_at <= t.created_at
    WHERE a.item_id = t.item_id AND a.draw <> 'gold' AND r.id IS NULL AND a.created_at <= t.created_at) answers
    ON true
{standing.HELPED}
WHERE (%(promise)s = '' OR {standing.PROMISE_OF_TRUTH} = %(promise)s)
ORDER BY t.id
"""  # noqa: S608


_DECISIONS = f"""
SELECT a.id, i.sha256, it.name, it.source, coalesce(c.key, '') AS class, a.mode,
       {standing.DECISION_STANDS} AS standing,
       a.confidence AS margin, v.number AS model, g.number AS guideline, a.certificate_id AS certificate,
       k.precision AS stated_precision, a.created_at, who.username AS overruled_by, o.reason AS overruled_because,
       coalesce(oc.key, '') AS overruled_as, coalesce(tc.key, t.kind, '') AS settled_as,
       {standing.PROMISE_OF_DECISION} AS promise, {standing.STATED_OF_DECISION} AS stated,
       coalesce(t.origin, '') AS settled_by
FROM frontier_automaticdecision a
JOIN catalog_item it ON it.id = a.item_id AND it.project_id IS NOT NULL
JOIN catalog_image i ON i.id = it.image_id
JOIN catalog_labelclass c ON c.id = a.label_class_id
JOIN learning_modelversion v ON v.id = a.model_version_id
JOIN frontier_certificate k ON k.id = a.certificate_id
JOIN catalog_guideline g ON g.id = k.guideline_id
{standing.DECIDED_UNDER}
LEFT JOIN frontier_decisionoverruled o ON o.decision_id = a.id
LEFT JOIN people_user who ON who.id = o.by_id
LEFT JOIN catalog_labelclass oc ON oc.id = o.label_class_id
LEFT JOIN truth_groundtruth t ON t.item_id = a.item_id AND t.kind <> 'withdrawn'
     AND NOT EXISTS (SELECT 1 FROM truth_groundtruth newer WHERE newer.supersedes_id = t.id)
LEFT JOIN catalog_labelclass tc ON tc.id = t.label_class_id
WHERE a.project_id = %(project)s AND a.id > %(after)s
  AND (%(promise)s = '' OR {standing.PROMISE_OF_DECISION} = %(promise)s)
ORDER BY a.id
"""  # noqa: S608


@dataclass(frozen=True)
class Source:
    """One kind of row. ``columns`` is the order of a CSV's columns."""

    sql: str
    columns: tuple[str, ...]
    json_columns: frozenset[str] = frozenset()


ANNOTATIONS = Source(
    _ANNOTATIONS,
    (
        "id", "key", "sha256", "name", "source", "round", "labeler", "kind", "class", "class_now", "reason",
        "comment", "checklist", "guideline", "draw", "context", "shown_at", "view_ms", "created_at",
        "retracted_at", "replaces", "dispute", "dispute_cause", "ruling", "ruling_class", "reviewer", "ruled_at",
        "ground_truth", "ground_truth_class", "ground_truth_kind", "ground_truth_promise", "ground_truth_origin",
    ),
    frozenset({"checklist", "context"}),
)  # fmt: skip
GROUND_TRUTHS = Source(
    _GROUND_TRUTHS,
    (
        "id", "sha256", "name", "source", "kind", "class", "class_now", "origin", "draw", "guideline", "created_at",
        "in_force", "supersedes", "superseded_by", "superseded_at", "dispute", "dispute_cause", "ruling",
        "ruling_reason", "ruling_comment", "reviewer", "ruled_at", "annotations", "labelers",
        "promise", "stated",
    ),
)  # fmt: skip

#: What the machine said. In a file of its own: nobody can take it for a ground truth.
DECISIONS = Source(
    _DECISIONS,
    (
        "id", "sha256", "name", "source", "class", "mode", "standing", "margin", "model", "guideline", "certificate",
        "stated_precision", "created_at", "overruled_by", "overruled_because", "overruled_as", "settled_as",
        "promise", "stated", "settled_by",
    ),
)  # fmt: skip

#: By name, as exports and feeds ask for them.
SOURCES = {"annotations": ANNOTATIONS, "ground-truths": GROUND_TRUTHS, "decisions": DECISIONS}


def page(
    source: Source,
    project: Project,
    *,
    after: int,
    limit: int,
    gold: bool = True,
    current: bool = False,
    promise: str = "",
) -> list[dict[str, Any]]:
    """At most ``limit`` rows with a key above ``after``; ``promise``: only of labels that stand under this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            source.sql.replace(WHICH, _IN_FORCE if current else WHICH) + " LIMIT %(limit)s",
            _parameters(project, after=after, gold=gold, promise=promise)
            # What else is known is looked up of as many as are shown; a promise is known of a row only then.
            | {"limit": limit, "of_all": None if promise else limit},
        )
        return [_row(source, values) for values in cursor.fetchall()]


def stream(
    source: Source, project: Project, *, promise: str = "", current: bool = False
) -> Iterator[list[dict[str, Any]]]:
    """All rows, or those of one promise or in force, in lists of :data:`CHUNK`.

    From a server-side cursor: one snapshot, whatever its size, in flat memory, open for as long as it is read, but not
    while nothing is taken for :data:`STALLED`. Outside of a transaction the database would find all rows, and keep them on
    its disk, before it gave the first.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Planned for the first rows: tables that are hashed or sorted first would be read to their ends before.
            cursor.execute("SET LOCAL cursor_tuple_fraction = 0.0001")
            cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{STALLED}'")
        with connection.chunked_cursor() as cursor:
            cursor.execute(
                source.sql.replace(WHICH, _IN_FORCE if current else WHICH),
                _parameters(project, after=0, gold=True, promise=promise),
            )
            while values := cursor.fetchmany(CHUNK):
                yield [_row(source, each) for each in values]


def _parameters(project: Project, **others: Any) -> dict[str, Any]:
    resolution = class_resolution(project)
    return {
        "project": project.pk,
        "old": list(resolution.keys()),
        "new": list(resolution.values()),
        "of_all": None,
        **others,
    }


def _row(source: Source, values: tuple[Any, ...]) -> dict[str, Any]:
    row = dict(zip(source.columns, values, strict=True))
    for name in source.json_columns:
        # Django leaves jsonb as text on its own connections, so that JSONField can choose a decoder.
        if isinstance(row[name], str):
            row[name] = json.loads(row[name])
    return row
