"""The rows of a data set: a photo, its class, and how that came about. The same each time they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.utils.text import get_valid_filename

from labeling.catalog.metadata.values import Value
from labeling.catalog.selectors import class_resolution
from labeling.exchange.choosing import chosen_photos, is_chosen
from labeling.exchange.known import SAID, Known
from labeling.exchange.models import DataSet
from labeling.exchange.splits import VALUE, Splitter
from labeling.frontier import standing

CHUNK = 2000

#: Ground truths in force when the data set was made. Gold checks people and is in none.
_ROWS = f"""
SELECT i.sha256, i.format, i.width, i.height, it.id, it.name, it.source, coalesce(it.twins_of, it.id),
       (coalesce(i.taken_at, it.added_at) AT TIME ZONE 'UTC')::date, {VALUE},
       c.key, t.origin, {standing.PROMISE_OF_TRUTH}, {standing.STATED_OF_TRUTH}, g.number, t.created_at, {{said}}
FROM truth_groundtruth t
JOIN catalog_item it ON it.id = t.item_id AND it.project_id IS NOT NULL
JOIN catalog_image i ON i.id = it.image_id
JOIN catalog_guideline g ON g.id = t.guideline_id
JOIN unnest(%(old)s::bigint[], %(new)s::bigint[]) AS res (old_id, new_id) ON res.old_id = t.label_class_id
JOIN catalog_labelclass c ON c.id = res.new_id
{standing.HELPED}
WHERE t.project_id = %(project)s AND t.id <= %(upto)s {{among}} AND t.kind = 'class' AND t.origin <> 'gold'
  AND NOT EXISTS (SELECT 1 FROM truth_groundtruth newer WHERE newer.supersedes_id = t.id AND newer.id <= %(upto)s)
  AND (%(promise)s = '' OR {standing.PROMISE_OF_TRUTH} = %(promise)s)
ORDER BY t.id
"""  # noqa: S608

_ENDINGS = {"JPEG": "jpg", "TIFF": "tif", "MPO": "jpg", "HEIF": "heic"}


@dataclass(frozen=True, slots=True)
class Row:
    """``day``: when it was taken, or came in. ``family``: id of the oldest of its near-duplicates. ``value``: of the
    metadata that stays together, if that is asked. ``stated``: precision. ``metadata``: of each name that is asked for."""

    sha256: str
    format: str
    width: int
    height: int
    item: int
    name: str
    source: str
    family: int
    day: date
    value: str | None
    label: str
    origin: str
    promise: str
    stated: float | None
    guideline: int
    settled_at: datetime
    metadata: dict[str, Value | None]
    split: str = ""

    def file_name(self, ending: str = "") -> str:
        """A name that is the photo's own, is no other's, and is a file's on every system."""
        stem = (
            get_valid_filename(f"photo {self.name.rsplit('.', 1)[0]}").removeprefix("photo_").strip(".")[:80]
        )
        return f"{stem}-{self.sha256[:12]}.{ending or _ENDINGS.get(self.format, self.format.lower())}"


def rows_of(data_set: DataSet) -> Iterator[list[Row]]:
    """All rows in lists of at most :data:`CHUNK`, from a server-side cursor: flat in memory."""
    splitter, known = Splitter(data_set), Known(data_set)
    if not is_chosen(data_set):
        yield from _read(data_set, splitter, known, "")
    for item_ids in chosen_photos(data_set):
        yield from _read(data_set, splitter, known, "AND t.item_id = ANY(%(among)s)", among=item_ids)


def _read(
    data_set: DataSet, splitter: Splitter, known: Known, where: str, **given: list[int]
) -> Iterator[list[Row]]:
    resolution = class_resolution(data_set.project, data_set.guideline)
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            _ROWS.replace("{among}", where).replace("{said}", SAID if known.names else "NULL"),
            {
                "project": data_set.project_id,
                "upto": data_set.upto,
                "value": data_set.value,
                "values_upto": data_set.values_upto,
                "metadata": known.names,
                "promise": data_set.promise,
                "old": list(resolution.keys()),
                "new": list(resolution.values()),
                **given,
            },
        )
        while found := cursor.fetchmany(CHUNK):
            yield [splitter.put(Row(*[*values, known.read(said)])) for *values, said in found]
