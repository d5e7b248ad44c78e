"""Photos that are about to be erased leave the order and whoever has them on loan, and come back into it."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection, transaction

from labeling.catalog.models import Project
from labeling.queue import pace
from labeling.queue.entries import put_back, share_ranking
from labeling.queue.models import Slot
from labeling.truth.current import current_rounds


@transaction.atomic
def leave(*, project: Project, item_ids: Collection[int]) -> None:
    """Nobody is asked about them any more; an answer that is under way is refused, as the loan is over.

    Shares the order until the caller commits: a finished one that is swapped in later takes them out by itself.
    """
    ranking = share_ranking(project)
    if ranking is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM queue_entry WHERE ranking_id = %s AND item_id = ANY(%s)",
                [ranking.pk, list(item_ids)],
            )
    Slot.objects.filter(item__in=item_ids, annotation__isnull=True).delete()
    pace.move_inward(project)


@transaction.atomic
def come_back(*, project: Project, item_id: int) -> None:
    """People are asked about it as before."""
    put_back(project=project, rounds=current_rounds([item_id]))
