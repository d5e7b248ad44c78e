"""Which side of a split a photo is on: drawn by what must stay together, the same each time, without knowing the others."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from django.db import connection

from labeling.exchange.models import SPLITS, DataSet, Together

if TYPE_CHECKING:
    from labeling.exchange.rows import Row

#: Near-duplicates that lie in several sources or days join these: (what they are in, the family).
_JOINS = """
SELECT DISTINCT {unit}, it.twins_of FROM catalog_item it JOIN catalog_image i ON i.id = it.image_id
WHERE it.project_id = %(project)s AND it.twins_of IS NOT NULL
"""
#: SQL over ``catalog_item it``: what the metadata said when the data set was made, with ``value`` and ``values_upto`` of it.
VALUE = """(
    SELECT said.data ->> %(value)s FROM catalog_metadatachange said
    WHERE said.item_id = it.id AND said.id <= %(values_upto)s AND said.data ? %(value)s ORDER BY said.id DESC LIMIT 1)"""
_UNITS = {
    # A photo of which it is not said stays with its near-duplicates alone, under a name that is no value's.
    Together.VALUE: f"coalesce('=' || {VALUE}, it.twins_of::text)",
    Together.SOURCE: "it.source",
    Together.DAY: "(coalesce(i.taken_at, it.added_at) AT TIME ZONE 'UTC')::date",
}


class Splitter:
    """Deals out photos by a hash of the seed and of what they stay together with (a point in [0, 1), cut at the shares).

    Shares are therefore of groups: with few or uneven ones the photos come out in other shares, which the manifest counts.
    """

    def __init__(self, data_set: DataSet) -> None:
        shares = (100 - data_set.validation - data_set.test, data_set.validation, data_set.test)
        self._ends = [end / 100 for end in accumulate(shares)]
        self._seed = data_set.seed
        self._by = data_set.together
        self._joined: dict[object, object] = {}
        if data_set.together != Together.PHOTO:
            self._join(data_set)

    def put(self, row: Row) -> Row:
        """The row with its ``split``."""
        digest = hashlib.sha256(f"{self._seed}:{self._first(self._unit(row))}".encode()).digest()
        point = int.from_bytes(digest[:6]) / 2**48
        return replace(
            row, split=next(name for name, end in zip(SPLITS, self._ends, strict=True) if point < end)
        )

    def _unit(self, row: Row) -> object:
        match self._by:
            case Together.SOURCE:
                return row.source
            case Together.DAY:
                return row.day
            case Together.VALUE:
                return str(row.family) if row.value is None else f"={row.value}"
            case _:
                return row.family

    def _join(self, data_set: DataSet) -> None:
        first_of_family: dict[int, object] = {}
        with connection.cursor() as cursor:
            given: dict[str, Any] = {
                "project": data_set.project_id,
                "value": data_set.value,
                "values_upto": data_set.values_upto,
            }
            cursor.execute(_JOINS.format(unit=_UNITS[Together(self._by)]), given)
            for unit, family in cursor.fetchall():
                self._merge(unit, first_of_family.setdefault(family, unit))

    def _first(self, unit: object) -> object:
        while (above := self._joined.get(unit, unit)) != unit:
            unit = above
        return unit

    def _merge(self, unit: object, other: object) -> None:
        one, two = self._first(unit), self._first(other)
        if one != two:  # the lesser one stands for both, so that the order of reading changes nothing
            low, high = sorted((one, two), key=str)
            self._joined[high] = low
