"""What photos of a class from elsewhere look like here: the champion's word on some of them.

A class that is called ``cls_3`` says nothing by its name. It is an admin's to say what it is, so this is only told, and
nothing rests on it before they save (docs/decisions/0079-a-foreign-class-by-its-photos.md).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection

from labeling.catalog.selectors import class_keys, class_resolution
from labeling.exchange.models import Import
from labeling.learning.selectors import champion

#: Photos of a class that are looked at, at most, and at least: the word on a few would be one on each of them.
PHOTOS, LEAST = 50, 5
#: Share of them that must look like one class for it to be chosen in advance. Less is told all the same.
MOST_OF_THEM = 0.75

# One pass over the import's rows, as all its steps take. What was drawn at random to prove something is left out: an admin
# may be asked about it, and does not learn from a file what the machine says of it.
_SAID = f"""
WITH named AS (
    SELECT DISTINCT labels[1] AS label, item_id FROM exchange_importrow
    WHERE of_id = %(of)s AND item_id IS NOT NULL AND fault = '' AND cardinality(labels) = 1 AND labels[1] = ANY(%(labels)s)),
lots AS (
    SELECT label, item_id, row_number() OVER (PARTITION BY label ORDER BY md5(item_id::text)) AS number FROM named)
SELECT lots.label, s.predicted_id, count(*)
FROM lots JOIN catalog_item i ON i.id = lots.item_id AND i.audit_drawn_at IS NULL
JOIN learning_score s ON s.model_version_id = %(version)s AND s.item_id = lots.item_id
WHERE lots.number <= {PHOTOS} AND NOT EXISTS (SELECT 1 FROM frontier_drawnphoto d WHERE d.item_id = lots.item_id)
GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Look:
    """``alike`` of ``of`` photos are ``key`` to the champion, ``version`` (its number), and more of no other class."""

    key: str
    alike: int
    of: int
    version: int

    @property
    def is_clear(self) -> bool:
        return self.alike >= MOST_OF_THEM * self.of


def look_at(of: Import, labels: Collection[str]) -> dict[str, dict[str, Any]]:
    """Label -> :class:`Look` as ``Import.found`` keeps it, of those of which enough photos are here and have a score."""
    version = champion(of.project)
    if version is None or not labels:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_SAID, {"of": of.pk, "labels": list(labels), "version": version.pk})
        rows = cursor.fetchall()
    keys, now = class_keys(of.project), class_resolution(of.project)
    votes: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
    for label, class_id, photos in rows:
        today = now.get(class_id)
        votes[label][keys[today] if today is not None else None] += photos
    found = {}
    for label, said in votes.items():
        of_all, (key, alike) = said.total(), said.most_common(1)[0]
        if of_all >= LEAST and key is not None:
            found[label] = asdict(Look(key, alike, of_all, version.number))
    return found


def looks_of(of: Import) -> dict[str, Look]:
    """Those of labels of which nobody has said what they mean, as they were last looked at."""
    kept = of.found.get("looks", {})
    return {label: Look(**look) for label, look in kept.items() if label not in of.classes}
