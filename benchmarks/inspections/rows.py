"""What is known of each photo, from raw rows, without a line of the application's code.

People's word is the end of a photo's chain of ground truths, unless that withdraws it. Without one, and while no dispute
waits for its ruling, the machine's newest decision counts that was made for real, that nobody overruled, and whose
certificate is not suspended.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import psycopg

_TRUTHS = """
SELECT t.item_id, t.id, t.supersedes_id, t.kind, c.key, t.origin, t.draw
FROM truth_groundtruth t LEFT JOIN catalog_labelclass c ON c.id = t.label_class_id
"""
_DECISIONS = """
SELECT a.id, a.item_id, c.key, a.certificate_id FROM frontier_automaticdecision a
JOIN catalog_labelclass c ON c.id = a.label_class_id WHERE a.mode = 'on' ORDER BY a.id
"""
_CERTIFICATES = "SELECT k.id, k.precision FROM frontier_certificate k"
_SUSPENDED = "SELECT certificate_id FROM frontier_certificateend WHERE kind = 'suspended'"
_OVERRULED = "SELECT decision_id FROM frontier_decisionoverruled"
_DISPUTED = """
SELECT d.item_id FROM truth_dispute d WHERE NOT EXISTS (SELECT 1 FROM truth_ruling r WHERE r.dispute_id = d.id)
"""


@dataclass(frozen=True)
class Word:
    """``strict``: people settled it by their project's rule. ``error``: what is stated of a machine's decision, at most."""

    answer: str
    strict: bool
    error: float | None = None


def words(line: psycopg.Connection[Any]) -> dict[int, Word]:
    """Item id -> what is known of it; items of which nothing is known are left out."""
    settled = _settled(line)
    disputed = {item for (item,) in line.execute(_DISPUTED)}
    found = {item: word for item, word in settled.items() if word is not None}
    for item, word in _decided(line).items():
        if item not in settled and item not in disputed:
            found[item] = word
    return found


def _settled(line: psycopg.Connection[Any]) -> dict[int, Word | None]:
    """None: people have settled that there is no answer."""
    chains: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for item, *row in line.execute(_TRUTHS):
        chains[item].append(tuple(row))
    found: dict[int, Word | None] = {}
    for item, chain in chains.items():
        superseded = {before for _pk, before, *_rest in chain}
        ends = [row for row in chain if row[0] not in superseded]
        if len(ends) != 1:
            raise SystemExit(f"photo {item} has {len(ends)} ground truths in force")
        ((_pk, _before, kind, key, origin, draw),) = ends
        if kind == "class":
            found[item] = Word(key, origin not in ("assisted", "imported") and draw != "sweep")
        elif kind != "withdrawn":
            found[item] = None
    return found


def _decided(line: psycopg.Connection[Any]) -> dict[int, Word]:
    stated = dict(line.execute(_CERTIFICATES).fetchall())
    suspended = {certificate for (certificate,) in line.execute(_SUSPENDED)}
    overruled = {decision for (decision,) in line.execute(_OVERRULED)}
    found = {}
    for decision, item, key, certificate in line.execute(_DECISIONS):
        if decision not in overruled and certificate not in suspended:
            found[item] = Word(key, False, 1.0 - stated[certificate])  # a later one takes its place
    return found
