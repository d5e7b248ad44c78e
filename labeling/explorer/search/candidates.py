"""Where the photos come from that a search looks at, as SQL: rows of ``catalog_item``, and no more of them than it looks at.

Those that an index names, where one knows what is wanted, else the next ones of the project.
"""

from __future__ import annotations

import json
import math

from labeling.catalog.name_parts import BLOCK_BITS
from labeling.explorer.search.conditions import Asked
from labeling.explorer.search.pairs import Pair
from labeling.frontier.told import Status

#: So many ids an index may name at once, to be sorted; of more a walk finds enough.
FEW = 5_000

# Each is read no further than the page needs, in the order of ids: {beyond} is ">" or "<", {order} "ASC" or "DESC".
_NEXT_ONES = """
    SELECT * FROM catalog_item WHERE project_id = %(project)s AND id {beyond} %(from)s {also}
    ORDER BY id {order} LIMIT %(most)s"""
# The blocks come in order, and each one's photos are sorted, so the loop over them is in order.
_BLOCKS = """(
        SELECT (SELECT id FROM catalog_item WHERE project_id = %(project)s ORDER BY id LIMIT 1) AS first,
               (SELECT id FROM catalog_item WHERE project_id = %(project)s ORDER BY id DESC LIMIT 1) AS last) ends
    CROSS JOIN LATERAL generate_series({blocks}) block"""
_NAMED = f"""
    SELECT named.* FROM {_BLOCKS}
    CROSS JOIN LATERAL (SELECT catalog_text_parts(%(project)s, block, %(q)s) AS parts OFFSET 0) wanted
    CROSS JOIN LATERAL (
        SELECT i.* FROM catalog_item i
        WHERE catalog_name_parts(i.project_id, i.source, i.name, i.id) @> wanted.parts
          AND i.project_id = %(project)s AND i.id {{beyond}} %(from)s ORDER BY i.id {{order}}) named
    LIMIT %(most)s"""
_KNOWN = f"""
    SELECT i.* FROM {_BLOCKS}
    CROSS JOIN LATERAL (
        SELECT catalog_metadata_parts(%(project)s, %(metadata)s::jsonb, block << {BLOCK_BITS}) AS parts OFFSET 0) wanted
    CROSS JOIN LATERAL (
        SELECT m.item_id FROM catalog_metadata m
        WHERE catalog_metadata_parts(m.project_id, m.data, m.item_id) @> wanted.parts
          AND m.project_id = %(project)s AND m.item_id {{beyond}} %(from)s ORDER BY m.item_id {{order}}) known
    CROSS JOIN LATERAL (SELECT * FROM catalog_item WHERE id = known.item_id LIMIT 1) i
    LIMIT %(most)s"""
_BETWEEN = f"""
    SELECT i.* FROM {_BLOCKS}
    CROSS JOIN LATERAL (
        SELECT n.item_id FROM catalog_metadatanumber n
        WHERE n.project_id = %(project)s AND n.name = %(named)s AND n.item_id >> {BLOCK_BITS} = block
          AND n.number BETWEEN %(least)s AND %(greatest)s AND n.item_id {{beyond}} %(from)s
        ORDER BY n.item_id {{order}}) known
    CROSS JOIN LATERAL (SELECT * FROM catalog_item WHERE id = known.item_id LIMIT 1) i
    LIMIT %(most)s"""
_ONWARDS = f"GREATEST(%(from)s::bigint, ends.first) >> {BLOCK_BITS}, ends.last >> {BLOCK_BITS}"
_BACKWARDS = f"LEAST(%(from)s::bigint, ends.last) >> {BLOCK_BITS}, ends.first >> {BLOCK_BITS}, -1"
_REASONED = """
    SELECT i.* FROM (
        SELECT DISTINCT item_id FROM truth_annotation
        WHERE project_id = %(project)s AND reason = %(reason)s AND reason <> '' AND item_id {beyond} %(from)s
        ORDER BY item_id {order} LIMIT %(most)s) said
    CROSS JOIN LATERAL (SELECT * FROM catalog_item WHERE id = said.item_id LIMIT 1) i"""
_LISTED = """
    SELECT i.* FROM unnest(%(ids)s::bigint[]) AS listed (id)
    CROSS JOIN LATERAL (SELECT * FROM catalog_item WHERE id = listed.id AND project_id = %(project)s LIMIT 1) i"""
_WITHIN = """
    SELECT i.* FROM (
        SELECT item_id FROM {table} WHERE point(x, y) <@ %(area)s::polygon AND item_id {beyond} %(from)s
        ORDER BY item_id {order} LIMIT %(most)s) here
    CROSS JOIN LATERAL (SELECT * FROM catalog_item WHERE id = here.item_id AND project_id = %(project)s LIMIT 1) i"""


def candidates_of(asked: Asked) -> str:
    """A query whose values are added to what was ``given``."""
    return _source(asked).format(
        beyond="<" if asked.back else ">",
        order="DESC" if asked.back else "ASC",
        blocks=_BACKWARDS if asked.back else _ONWARDS,
        table=asked.table,
        also="AND source = %(source)s" if asked.wanted.source else "",
    )


def _source(asked: Asked) -> str:
    """The surest index first: it names the fewest."""
    wanted = asked.wanted
    if asked.ranked is not None:
        start = asked.given["from"]
        asked.given["ids"] = asked.ranked[: max(0, start - 1)][::-1] if asked.back else asked.ranked[start:]
        return _LISTED
    if any(len(word) > 1 for word in wanted.q.split()):
        asked.given["q"] = wanted.q
        return _NAMED
    if any(pair.sign == "=" for pair in wanted.pairs):
        asked.given["metadata"] = json.dumps(
            {each.name: each.value for each in wanted.pairs if each.sign == "="}
        )
        return _KNOWN
    if wanted.pairs:
        _between(asked, wanted.pairs)
        return _BETWEEN
    if wanted.reason:
        return _REASONED
    few = _few(asked)
    if few is not None:
        asked.given["ids"] = few
        return _LISTED
    if wanted.area:
        return _WITHIN
    return _NEXT_ONES


def _between(asked: Asked, pairs: list[Pair]) -> None:
    """All that is wanted of the first name: the index is by one."""
    ends = {">=": [-math.inf], "<=": [math.inf]}
    for pair in pairs:
        if pair.name == pairs[0].name and pair.number is not None:
            ends[pair.sign].append(pair.number)
    asked.given |= {"named": pairs[0].name, "least": max(ends[">="]), "greatest": min(ends["<="])}


def _few(asked: Asked) -> list[int] | None:
    """Ids that all wanted photos are among, where they are few, from where the page begins."""
    if asked.wanted.of_answers:
        # Named one by one, for the index is by labeler and time; not by membership, for people leave.
        among = f"""
            SELECT a.item_id FROM truth_annotation a
            WHERE a.project_id = %(project)s AND a.labeler_id = ANY(ARRAY(SELECT id FROM people_user))
              AND {asked.of_answer}"""
    elif asked.wanted.status == Status.DISPUTED:
        among = """
            SELECT d.item_id FROM truth_opendispute o JOIN truth_dispute d ON d.id = o.dispute_id
            WHERE o.project_id = %(project)s"""
    else:
        return None
    ids = [row[0] for row in asked.run(f"{among} LIMIT %(few)s", few=FEW + 1)]
    if len(ids) > FEW:
        return None
    here = {
        each for each in ids if (each < asked.given["from"] if asked.back else each > asked.given["from"])
    }
    return sorted(here, reverse=asked.back)
