"""Any part of a photo's folder or name is found by an index, in every script, without an extension.

``pg_trgm`` would be the usual way. It is none of the server's own parts, sees only letters that the database's locale knows
(under "C" no Korean), and looks up nothing of fewer than three letters, where two Korean ones say much. So names are cut
into all runs of two and of three letters, and a GIN index over their hashes answers which photos have all runs of what is
looked for. The hash is seeded with the project and a block of ids: photos are found block by block, in the order of their
ids, and no more of them than are wanted (docs/decisions/0046-a-search-that-stays-bounded.md).
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func

#: Ids of a block: 2 to this power.
BLOCK_BITS = 14

#: The hashes of what is looked for, of runs as long as its words allow; and of a photo's runs. Each function is complete in
#: itself, for a database that is restored looks for no name outside of PostgreSQL's own while it builds the index.
CREATE = f"""
CREATE FUNCTION catalog_text_parts(project bigint, block bigint, words text) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100 AS $$
    SELECT ARRAY(SELECT hashtextextended(substr(word, at, size), (project << 32) | block)
                 FROM regexp_split_to_table(lower(words), '\\s+') word, least(length(word), 3) size,
                      generate_series(1, length(word) - size + 1) at
                 WHERE size > 1)
$$;
CREATE FUNCTION catalog_name_parts(project bigint, source text, name text, item bigint) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
    SELECT ARRAY(SELECT hashtextextended(substr(whole, at, size), (project << 32) | (item >> {BLOCK_BITS}))
                 FROM lower(source || '/' || name) whole, generate_series(2, 3) size,
                      generate_series(1, length(whole) - size + 1) at)
$$;
"""
DROP = """
DROP FUNCTION catalog_name_parts(bigint, text, text, bigint);
DROP FUNCTION catalog_text_parts(bigint, bigint, text);
"""


class NameParts(Func):
    """``catalog_name_parts`` of an item, as its index has it."""

    function = "catalog_name_parts"

    def __init__(self, *expressions: Any, **extra: Any) -> None:
        super().__init__(*(expressions or (F("project"), F("source"), F("name"), F("id"))), **extra)
