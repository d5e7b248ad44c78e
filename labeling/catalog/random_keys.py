"""Keys along which the audit walks: exponential, so that photos that come later fall in as if they had always been there.

The walk draws in rising order of the keys. What it has not drawn lies beyond its *place*, the largest key drawn so far,
and lies there exponentially again, as an exponential variable has no memory. A photo that arrives gets its key beyond the
place in the same way, so of all that is not drawn each photo is as likely to be the next, whenever it came and however
often the pool was drawn empty (docs/decisions/0007-the-audit-is-a-walk-along-random-keys.md).
"""

from __future__ import annotations

import random

from django.db import connection
from django.db.models import Max

from labeling.catalog.models import Item, Project

#: Nobody can foresee the order, whatever was seeded elsewhere.
_random = random.SystemRandom()

# Rows that somebody else is drawing at this moment are theirs.
_BRING_FORWARD = """
UPDATE catalog_item SET random_key = walk.place - ln(1.0 - random())
FROM (SELECT max(random_key) AS place FROM catalog_item
      WHERE project_id = %(project)s AND audit_drawn_at IS NOT NULL) walk
WHERE id IN (
    SELECT id FROM catalog_item
    WHERE project_id = %(project)s AND audit_drawn_at IS NULL AND random_key <= (
        SELECT max(random_key) FROM catalog_item
        WHERE project_id = %(project)s AND audit_drawn_at IS NOT NULL)
    FOR NO KEY UPDATE SKIP LOCKED)
"""


def keys_of_arrivals(project: Project, count: int) -> list[float]:
    """Keys for so many photos that come in now, beyond the walk's place."""
    drawn = Item.objects.filter(project=project, audit_drawn_at__isnull=False)
    place = drawn.aggregate(place=Max("random_key"))["place"] or 0.0
    return [place + _random.expovariate(1.0) for _ in range(count)]


def bring_forward(project: Project) -> int:
    """Before a draw: photos that the walk has passed by get a key beyond its place; return how many.

    They came in while it went on, or a draw of them was undone. Left where they are they would all be drawn next.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BRING_FORWARD, {"project": project.pk})
        return int(cursor.rowcount)
