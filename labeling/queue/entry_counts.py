"""How many photos wait in each band of an order, kept as people begin and finish them.

The database's triggers keep them (``migrations/0007_entry_tallies.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from labeling.catalog.models import Project
from labeling.database.kept_counts import totals
from labeling.queue.models import Placement, Ranking
from labeling.truth.models import Tally


@dataclass(frozen=True, slots=True)
class Waiting:
    """Entries on one ladder (a class id; ``None``: on none) in one band; ``begun``: of these, taken by somebody."""

    ladder: int | None
    band: int
    waiting: int
    begun: int


def waiting_of(ranking: Ranking) -> list[Waiting]:
    """By ladder and band, without the empty ones."""
    found = []
    for each in totals(ranking.project)["entries"]:
        of_ranking, ladder, band = each.key
        if each.n and of_ranking == str(ranking.pk):
            found.append(Waiting(int(ladder) if ladder else None, int(band), each.n, each.amount))
    return found


def begin(ranking: Ranking, waiting: Mapping[tuple[int, int], int]) -> None:
    """Of an order that is copied in as a whole: (ladder, or 0 for none; band) -> entries. Nobody has begun any."""
    Tally.objects.bulk_create(
        Tally(
            project_id=ranking.project_id,
            what="entries",
            key=[str(ranking.pk), str(ladder or ""), str(band)],
            n=n,
        )
        for (ladder, band), n in waiting.items()
    )


def mend(ranking: Ranking | None = None) -> int:
    """Count anew, of one order that was copied in as a whole or of all; return how many counts were wrong."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT queue_tally_mend(%s)", [ranking.pk if ranking else None])
        return int(cursor.fetchone()[0])


def forget(project: Project, ranking_id: int) -> None:
    """Its entries were dropped as a whole; nobody asks where it put photos."""
    Tally.objects.filter(project=project, what__in=["entries", "placed"], key__0=str(ranking_id)).delete()
    Placement.objects.filter(ranking=ranking_id).delete()
