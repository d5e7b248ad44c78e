"""Points of the map, so many at a time, as bytes that a browser lays typed arrays over: a million are 9 MB."""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass

from django.db import connection

from labeling.catalog.models import Project
from labeling.explorer.map.colouring import Colouring
from labeling.explorer.models import Space
from labeling.frontier.told import telling
from labeling.people.models import User

#: What is told of each is looked up one by one: a third of a second for so many.
CHUNK = 20_000


@dataclass(frozen=True)
class Points:
    """n items by id, rising: ``x`` and ``y`` from 0 to 65,535, ``value`` a number of the colouring's legend. ``next``: the
    id behind which the following ones begin; ``None`` where these are none."""

    ids: list[int]
    x: list[int]
    y: list[int]
    value: list[int]
    next: int | None

    def to_bytes(self) -> bytes:
        """Little-endian: n (uint32), four bytes of nothing, ``next`` or 0 and the first id (float64 each), then of all
        points the id less the first (uint32), x, y (uint16 each) and the value (uint8), one array after the other."""
        first = self.ids[0] if self.ids else 0
        arrays = [
            array("I", [each - first for each in self.ids]),
            array("H", self.x),
            array("H", self.y),
            array("B", self.value),
        ]
        if sys.byteorder == "big":
            for each in arrays:
                each.byteswap()
        head = struct.pack("<Ixxxxdd", len(self.ids), float(self.next or 0), float(first))
        return head + b"".join(each.tobytes() for each in arrays)


def points(project: Project, user: User, space: Space, colours: Colouring, *, after: int) -> Points:
    """The :data:`CHUNK` points behind the id ``after``."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT p.item_id, p.x, p.y, {colours.columns} FROM (
                SELECT item_id, x, y FROM {space.table} WHERE item_id > %(after)s ORDER BY item_id LIMIT {CHUNK}) p
            CROSS JOIN LATERAL (
                SELECT * FROM catalog_item WHERE id = p.item_id AND project_id = %(project)s LIMIT 1) i
            {colours.joined} ORDER BY p.item_id
            """,  # noqa: S608
            {"project": project.pk, "after": after, **telling(project, user), **colours.given},
        )
        rows = cursor.fetchall()
    ids = [row[0] for row in rows]
    return Points(
        ids,
        [row[1] for row in rows],
        [row[2] for row in rows],
        [colours.value(*row[3:]) for row in rows],
        ids[-1] if ids else None,
    )
