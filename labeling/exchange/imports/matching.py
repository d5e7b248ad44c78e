"""Which photo of the project a row means: by its hash, else by its name, with as much of the folder as both sides tell."""

from __future__ import annotations

from django.db import connection

from labeling.exchange.models import Import

_FORGET = "UPDATE exchange_importrow SET item_id = NULL, reason = '' WHERE of_id = %(of)s AND made IS NULL"
_BY_HASH = """
UPDATE exchange_importrow r SET item_id = i.id
FROM catalog_image g JOIN catalog_item i ON i.image_id = g.id
WHERE r.of_id = %(of)s AND r.made IS NULL AND r.sha256 <> '' AND g.sha256 = r.sha256 AND i.project_id = %(project)s
"""
# One path ends in the other, part by part; a name without an ending is any file's. Of several photos the one that is called
# exactly so is meant.
_BY_NAME = """
WITH named AS (
    SELECT id, photo, regexp_replace(photo, '^.*/', '') AS last FROM exchange_importrow
    WHERE of_id = %(of)s AND made IS NULL AND sha256 = '' AND photo <> ''),
here AS (
    SELECT id, name, source, regexp_replace(name, '^.*/', '') AS last FROM catalog_item WHERE project_id = %(project)s),
paths AS (
    SELECT id, source, last, name AS path, false AS stem FROM here
    UNION ALL
    SELECT id, source, regexp_replace(last, '\\.[^.]*$', ''), regexp_replace(name, '\\.[^./]*$', ''), true FROM here),
alike AS (
    SELECT n.id, count(DISTINCT p.id) AS found, min(p.id) AS one,
           count(DISTINCT p.id) FILTER (WHERE p.path = n.photo) AS exact, min(p.id) FILTER (WHERE p.path = n.photo) AS this
    FROM named n JOIN paths p ON p.last = n.last
         AND NOT (p.stem AND n.last ~* '\\.(jpe?g?|jfif|png|webp|avif|hei[cf]|tiff?|bmp|gif)$')
    WHERE right('/' || p.source || '/' || p.path, length(n.photo) + 1) = '/' || n.photo
       OR right('/' || n.photo, length(p.path) + 1) = '/' || p.path
    GROUP BY n.id)
UPDATE exchange_importrow r
SET item_id = CASE WHEN exact = 1 THEN this WHEN found = 1 THEN one END,
    reason = CASE WHEN exact = 1 OR found = 1 THEN '' ELSE 'two_photos' END
FROM alike WHERE alike.id = r.id
"""
_OTHERS = """
UPDATE exchange_importrow SET outcome = 'refused', about = '',
    reason = CASE WHEN fault <> '' THEN fault WHEN reason <> '' THEN reason ELSE 'no_photo' END
WHERE of_id = %(of)s AND made IS NULL AND (item_id IS NULL OR fault <> '')
"""


def match(of: Import) -> None:
    """Find the photo of each row that wrote nothing yet; those without one are refused.

    Photos that came in since the last time are found now. A row whose bytes are known is looked for by nothing else.
    """
    with connection.cursor() as cursor:
        for sql in (_FORGET, _BY_HASH, _BY_NAME, _OTHERS):
            cursor.execute(sql, {"of": of.pk, "project": of.project_id})
