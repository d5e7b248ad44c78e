"""Photos that are wanted, a page at a time, in the order that they came in, or of how well they fit a photo or words.

Whatever is asked, a page looks at so many photos and no more (``conditions.MOST_LOOKED_AT``): those that an index names,
where one knows what is wanted (``candidates``: parts of a name, metadata, a folder, a reason, a few answers, a few
disputes), else the next ones of the project. What else is asked is looked up of these, one by one (``conditions``). So a
page of a million photos costs what one of ten thousand does. A page that looked at so many and found too few says how far it
came, and the next goes on from there: nothing is left out (docs/decisions/0046-a-search-that-stays-bounded.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from labeling.catalog.models import Item, Project
from labeling.explorer.search.candidates import candidates_of
from labeling.explorer.search.conditions import A_PAGE, CALLED, Asked
from labeling.explorer.search.wanted import Wanted
from labeling.explorer.spaces import Probe
from labeling.frontier.told import STATUS, TOLD, Status
from labeling.people.models import User


@dataclass(frozen=True)
class Found:
    """``class_id``: what it is called, where that is told."""

    item: Item
    status: Status
    class_id: int | None


@dataclass(frozen=True)
class FoundPage:
    """Oldest first, or the most alike. ``next``: the id behind which the following page begins, or the place among those
    that fit; ``previous``: in front of which the one before ends; ``None`` at an end. ``stopped``: more photos were to
    be looked at than a page looks at, so it is not full. ``like``: with what they are compared.
    """

    rows: list[Found]
    next: int | None
    previous: int | None
    stopped: bool
    like: Probe | None = None


def search(
    project: Project,
    user: User,
    wanted: Wanted,
    *,
    after: int = 0,
    before: int | None = None,
    limit: int = A_PAGE,
) -> FoundPage:
    """The wanted photos behind the id ``after``, or those in front of ``before``; of similar ones, places from 1 on.

    Raises what :func:`~labeling.explorer.spaces.probe_named` does.
    """
    asked = Asked(project, user, wanted, after, before, limit)
    candidates = candidates_of(asked)
    rows = asked.run(
        f"""
        SELECT i.id, {STATUS}, {CALLED} FROM ({candidates}) i
        {TOLD} {asked.joined} WHERE {asked.condition} LIMIT %(limit)s""",
        limit=limit + 1,
    )
    more, rows = len(rows) > limit, rows[:limit]
    further = asked.place(rows[-1][0]) if more else None
    if not more and wanted and asked.ranked is None:
        ((looked, reached),) = asked.run(
            f"SELECT count(*), {'min' if asked.back else 'max'}(id) FROM ({candidates}) i"
        )
        further = reached if looked == asked.given["most"] else None
    items = Item.objects.select_related("image", "metadata").in_bulk([row[0] for row in rows])
    found = [Found(items[pk], Status(status), class_id) for pk, status, class_id in rows]
    # There is something on the side from where one came, as far as anybody can know without looking.
    came_from = (before - 1 if before else after + 1) if asked.back or after else None
    return FoundPage(
        rows=found[::-1] if asked.back else found,
        next=came_from if asked.back else further,
        previous=further if asked.back else came_from,
        stopped=further is not None and not more,
        like=asked.like,
    )
