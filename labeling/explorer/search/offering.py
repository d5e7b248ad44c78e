"""Photos that a search finds and people are to be asked about, for whoever answers them in grids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from labeling.catalog.models import Project
from labeling.explorer.search.finding import search
from labeling.explorer.search.wanted import Wanted
from labeling.frontier.told import Status
from labeling.people.models import User

#: Photos of a page, and pages that are turned before it is said that there is none: whoever claims a grid waits for them,
#: and a new order of the queue with them.
PAGE, MOST_PAGES = 2000, 5


def open_photos(project: Project, user: User, wanted: Wanted, *, after: int = 0) -> Iterator[list[int]]:
    """Ids, page by page as they are asked for: those behind ``after``, then those before it; the most alike first, where
    they shall be like a photo. No more than :data:`MOST_PAGES`, whatever is asked."""
    after = 0 if wanted.is_ranked else after
    if wanted.status not in {"", Status.OPEN}:
        return
    wanted, at, round_ = replace(wanted, status=Status.OPEN.value), after, 0
    for _turn in range(MOST_PAGES):
        page = search(project, user, wanted, after=at, limit=PAGE)
        ids = [row.item.pk for row in page.rows]
        yield [each for each in ids if each <= after] if round_ else ids
        if page.next is None and round_ == 0 and after:
            at, round_ = 0, 1
        elif page.next is None or (round_ and page.next >= after):
            return
        else:
            at = page.next
