"""Metadata of a photo in a data set: the names that were asked for, as they were said when it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection

from labeling.catalog.metadata.values import Value
from labeling.exchange.models import DataSet

#: SQL over ``catalog_item it``: name -> value as JSON, of ``metadata`` and ``values_upto`` of the data set; null of none.
SAID = """(
    SELECT jsonb_object_agg(newest.name, newest.value) FROM (
        SELECT DISTINCT ON (each.name) each.name, each.value
        FROM catalog_metadatachange said, jsonb_each(said.data) AS each (name, value)
        WHERE said.item_id = it.id AND said.id <= %(values_upto)s AND each.name = ANY(%(metadata)s)
        ORDER BY each.name, said.id DESC) newest)"""
_TEXTS = """
SELECT DISTINCT each.name
FROM catalog_item it JOIN catalog_metadatachange said ON said.item_id = it.id,
     jsonb_each(said.data) AS each (name, value)
WHERE it.project_id = %s AND said.id <= %s AND each.name = ANY(%s) AND jsonb_typeof(each.value) = 'string'"""


class Known:
    """Reads what :data:`SAID` gave. A name has numbers, or texts where any photo of the project ever had one: a column has
    one type, in every row and format."""

    def __init__(self, data_set: DataSet) -> None:
        self.names: list[str] = data_set.metadata
        self.texts: set[str] = set()
        if self.names:
            with connection.cursor() as cursor:
                cursor.execute(_TEXTS, [data_set.project_id, data_set.values_upto, self.names])
                self.texts = {name for (name,) in cursor.fetchall()}

    def read(self, said: str | None) -> dict[str, Value | None]:
        """Each name; ``None`` where nothing is said of the photo."""
        values: Mapping[str, Any] = json.loads(said) if said else {}
        return {name: self._one(name, values.get(name)) for name in self.names}

    def _one(self, name: str, value: Value | None) -> Value | None:
        return str(value) if value is not None and name in self.texts else value
