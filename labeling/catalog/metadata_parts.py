"""Photos with a value of their metadata are found by an index, in the order in which they came in.

As names are (:mod:`labeling.catalog.name_parts`): a GIN index knows no order, and a value may be half the project's. So it
holds a hash of each name with its value, seeded with the project and a block of ids: photos are found block by block, and
no more of them than are wanted. A number is found by its digits.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func

from labeling.catalog.name_parts import BLOCK_BITS

#: Complete in itself, as a database that is restored needs it.
CREATE = f"""
CREATE FUNCTION catalog_metadata_parts(project bigint, data jsonb, item bigint) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100 AS $$
    SELECT ARRAY(SELECT hashtextextended(key || '=' || value, (project << 32) | (item >> {BLOCK_BITS}))
                 FROM jsonb_each_text(data))
$$;
"""  # noqa: S608
DROP = "DROP FUNCTION catalog_metadata_parts(bigint, jsonb, bigint);"


class MetadataParts(Func):
    """``catalog_metadata_parts`` of a photo's metadata, as its index has it."""

    function = "catalog_metadata_parts"

    def __init__(self, *expressions: Any, **extra: Any) -> None:
        super().__init__(*(expressions or (F("project"), F("data"), F("item"))), **extra)
