"""The rows of an import, some photos at a time: all that it says of a photo comes together."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.exchange.models import Import, ImportRow

#: A transaction of answers holds their photos; who labels one of them waits for its end.
PHOTOS_AT_ONCE = 200


def by_photo(of: Import, outcomes: tuple[str, ...]) -> Iterator[list[ImportRow]]:
    """Lists of all rows with a photo, in the order of photos and of the file, of photos that have one of these outcomes."""
    last = 0
    rows = of.rows.filter(item_id__isnull=False, fault="")
    while True:
        # From the rows as they are now: what another list wrote is not asked for again.
        wanted = rows.filter(outcome__in=outcomes, item_id__gt=last).order_by("item_id")
        items = list(wanted.values_list("item_id", flat=True).distinct()[:PHOTOS_AT_ONCE])
        if not items:
            return
        last = items[-1] or 0
        yield list(rows.filter(item_id__in=items).order_by("item_id", "id"))
