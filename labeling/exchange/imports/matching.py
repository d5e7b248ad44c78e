"""Which photo of the project a row means: by its hash, else by its name, with as much of the folder as both sides tell."""

from __future__ import annotations

from django.db import connection

from labeling.database.planner import without_nested_loops
from labeling.exchange.models import Import

# One path ends in the other, part by part; a name without an ending is any file's. Of several photos the one that is called
# exactly so is meant. What is as it was is not written: an import that comes in is matched as it was when it was tried.
_MATCH = """
WITH said AS (
    SELECT id, photo, sha256, fault, regexp_replace(photo, '^.*/', '') AS last FROM exchange_importrow
    WHERE of_id = %(of)s AND made IS NULL),
by_hash AS (
    SELECT s.id, i.id AS item FROM said s
    JOIN catalog_image g ON g.sha256 = s.sha256 JOIN catalog_item i ON i.image_id = g.id AND i.project_id = %(project)s
    WHERE s.sha256 <> ''),
here AS (
    SELECT id, name, source, regexp_replace(name, '^.*/', '') AS last FROM catalog_item
    WHERE project_id = %(project)s AND EXISTS (SELECT 1 FROM said WHERE sha256 = '' AND photo <> '')),
paths AS (
    SELECT id, source, last, name AS path, false AS stem FROM here
    UNION ALL
    SELECT id, source, regexp_replace(last, '\\.[^.]*$', ''), regexp_replace(name, '\\.[^./]*$', ''), true FROM here),
alike AS (
    SELECT n.id, count(DISTINCT p.id) AS found, min(p.id) AS one,
           count(DISTINCT p.id) FILTER (WHERE p.path = n.photo) AS exact, min(p.id) FILTER (WHERE p.path = n.photo) AS this
    FROM said n JOIN paths p ON p.last = n.last
         AND NOT (p.stem AND n.last ~* '\\.(jpe?g?|jfif|png|webp|avif|hei[cf]|tiff?|bmp|gif)$')
    WHERE n.sha256 = '' AND n.photo <> ''
      AND (right('/' || p.source || '/' || p.path, length(n.photo) + 1) = '/' || n.photo
           OR right('/' || n.photo, length(p.path) + 1) = '/' || p.path)
    GROUP BY n.id),
meant AS (
    SELECT s.id, s.fault, alike.found,
           CASE WHEN h.item IS NOT NULL THEN h.item WHEN exact = 1 THEN this WHEN found = 1 THEN one END AS item
    FROM said s LEFT JOIN by_hash h ON h.id = s.id LEFT JOIN alike ON alike.id = s.id),
judged AS (
    SELECT id, item, CASE WHEN fault <> '' THEN fault WHEN item IS NOT NULL THEN ''
                          WHEN found > 1 THEN 'two_photos' ELSE 'no_photo' END AS refusal
    FROM meant)
UPDATE exchange_importrow r
SET item_id = j.item,
    outcome = CASE WHEN refusal <> '' THEN 'refused' ELSE r.outcome END,
    reason = CASE WHEN refusal <> '' THEN refusal ELSE r.reason END,
    about = CASE WHEN refusal <> '' THEN '' ELSE r.about END
FROM judged j
WHERE r.id = j.id AND (r.item_id IS DISTINCT FROM j.item
    OR (refusal <> '' AND (r.outcome, r.reason, r.about) IS DISTINCT FROM ('refused', refusal, '')))
"""


def match(of: Import) -> None:
    """Find the photo of each row that wrote nothing yet; those without one are refused.

    Photos that came in since the last time are found now. A row whose bytes are known is looked for by nothing else.
    """
    # Of photos that came in a moment ago the statistics know nothing: each row went through all of them.
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(_MATCH, {"of": of.pk, "project": of.project_id})
