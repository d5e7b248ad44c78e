"""The rows of an import, a page at a time: all that it says of a photo comes together."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.exchange.models import Import, ImportRow

#: Of rows; more where the last photo has more. A transaction holds the photos of a page: who labels one waits for it.
PAGE = 1000


def by_photo(of: Import, outcomes: tuple[str, ...]) -> Iterator[list[ImportRow]]:
    """Lists of all rows with a photo that have one of these outcomes, in the order of photos and of the file."""
    last = 0
    wanted = of.rows.filter(item_id__isnull=False, fault="", outcome__in=outcomes).order_by("item_id", "id")
    # From the rows as they are now: what another list wrote is not asked for again.
    while some := list(wanted.filter(item_id__gt=last)[:PAGE]):
        last = some[-1].item_id or 0
        if len(some) == PAGE:  # the last photo may go on
            some = [row for row in some if row.item_id != last]
            some += wanted.filter(item_id=last)
        yield some
