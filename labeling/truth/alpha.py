"""Krippendorff's alpha of blind answers, counted in the database: the web process has no numerical library."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution


def nominal_alpha(totals: Iterable[int], disagreement: float) -> float | None:
    """Krippendorff's alpha for nominal values, or ``None`` where it is undefined.

    Args:
        totals: how often each value was given, over the units that have at least two answers.
        disagreement: the sum over these units of the ordered pairs of answers that differ, over the unit's answers less 1.

    With n = sum of totals: alpha = 1 - (n - 1) * disagreement / (n^2 - sum of totals^2), which is 1 - D_o / D_e in the
    coincidence matrix of K. Krippendorff, Content Analysis (4th ed. 2018), ch. 12; also A. F. Hayes and K. Krippendorff,
    Answering the call for a standard reliability measure for coding data, 2007. It is 1 where all agree, 0 where they
    agree as often as chance, negative below. Undefined without a pair, and where only one value was ever given: then
    chance could have got nothing wrong.
    """
    counts = list(totals)
    n = sum(counts)
    by_chance = n * n - sum(count * count for count in counts)
    if not by_chance:
        return None
    return 1 - (n - 1) * disagreement / by_chance


@dataclass(frozen=True)
class Reliability:
    """``photos`` with two blind answers or more in one round, and their alpha (``None``: undefined)."""

    photos: int
    alpha: float | None


# One unit is a photo in one round; merged classes are followed; a hold and an unusable are values of their own. A unit
# belongs to the outermost band in which it was shown. Left out are photos that were offered to one person first: they get a
# second answer where the first did not agree with the machine. ``since`` looks at units whose newest answer is no older.
_SQL = """
WITH resolution AS (
    SELECT * FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS r (old_id, new_id)
), given AS (
    SELECT a.item_id, a.round, a.created_at,
           CASE WHEN a.kind = 'class' THEN coalesce(r.new_id, a.label_class_id)::text ELSE a.kind END AS value,
           CASE WHEN jsonb_typeof(a.context -> 'band') = 'number' THEN (a.context ->> 'band')::int END AS band,
           a.context @> '{"wanted": 1}' AS once
    FROM truth_annotation a
    LEFT JOIN truth_retraction undone ON undone.annotation_id = a.id
    LEFT JOIN resolution r ON r.old_id = a.label_class_id
    WHERE a.project_id = %(project)s AND undone.id IS NULL AND a.draw NOT IN ('gold', 'sweep')
), counts AS (
    SELECT item_id, round, value, count(*) AS n, min(band) AS band, max(created_at) AS newest, bool_or(once) AS once
    FROM given GROUP BY item_id, round, value
), units AS (
    SELECT item_id, round, min(band) AS band, sum(n) AS m,
           (sum(n) * sum(n) - sum(n * n))::float8 / (sum(n) - 1) AS differ
    FROM counts GROUP BY item_id, round
    HAVING sum(n) >= 2 AND NOT bool_or(once) AND (%(since)s::timestamptz IS NULL OR max(newest) >= %(since)s)
)
SELECT u.band, c.value, sum(c.n)::bigint, NULL::float8, NULL::bigint
FROM units u JOIN counts c USING (item_id, round) GROUP BY u.band, c.value
UNION ALL
SELECT band, NULL, NULL, sum(differ), count(*) FROM units GROUP BY band
"""


def alpha_by_band(project: Project, *, since: datetime | None = None) -> dict[int | None, Reliability]:
    """Band in which photos were shown (``None``: without one) -> how reliably people answered them.

    Only blind answers in force; ``since``: only photos whose newest answer is no older.
    """
    totals, sums = _counted(project, since)
    return {
        band: Reliability(photos, nominal_alpha(totals[band].values(), differ))
        for band, (differ, photos) in sums.items()
    }


def alpha_since(project: Project, since: datetime | None) -> Reliability:
    """How reliably people answered the photos whose newest blind answer is no older than ``since``, all bands together."""
    totals, sums = _counted(project, since)
    together: dict[str, int] = {}
    for values in totals.values():
        for value, n in values.items():
            together[value] = together.get(value, 0) + n
    differ = sum(each for each, _photos in sums.values())
    return Reliability(
        sum(photos for _each, photos in sums.values()), nominal_alpha(together.values(), differ)
    )


def _counted(
    project: Project, since: datetime | None
) -> tuple[dict[int | None, dict[str, int]], dict[int | None, tuple[float, int]]]:
    """Band -> value -> answers, and band -> (disagreement as :func:`nominal_alpha` wants it, photos)."""
    resolution = {old: new for old, new in class_resolution(project).items() if new is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL,
            {
                "project": project.pk,
                "old": list(resolution.keys()),
                "new": list(resolution.values()),
                "since": since,
            },
        )
        rows = cursor.fetchall()
    totals: dict[int | None, dict[str, int]] = {}
    sums: dict[int | None, tuple[float, int]] = {}
    for band, value, n, differ, photos in rows:
        if value is None:
            sums[band] = (differ, photos)
        else:
            totals.setdefault(band, {})[value] = n
    return totals, sums
