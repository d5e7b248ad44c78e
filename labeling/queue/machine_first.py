"""Photos that come in where a machine decides: it looks at them before people are asked.

A screen that waits asks again every few seconds, so somebody would have each photo lent soon after it came; and what people
have begun the machine leaves to them. So whoever knows that it decides sets such photos aside (:func:`leave`), and gives
them back when it has looked (:func:`give_back`). Where that takes longer than ``PATIENCE``, whoever finds nothing else gets
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.queue.entries import share_ranking
from labeling.queue.models import Ranking
from labeling.queue.places import BACK_FROM_MACHINE, IS_ASKED_FIRST, IS_LEFT_TO_MACHINE, TO_MACHINE

PATIENCE = timedelta(seconds=60)


@transaction.atomic
def leave(*, project: Project, item_ids: Sequence[int]) -> None:
    """Offer these photos to nobody until they are given back; those that people began or are asked first stay."""
    ranking = share_ranking(project)
    if ranking is not None and item_ids:
        _run(
            f"""
            UPDATE queue_entry e SET band = {TO_MACHINE}
            WHERE e.ranking_id = %s AND e.item_id = ANY(%s) AND e.taken = 0 AND NOT {IS_ASKED_FIRST}
            """,  # noqa: S608  (constants)
            [ranking.pk, list(item_ids)],
        )


def keep(old: Ranking, new: Ranking) -> None:
    """What was left to the machine in ``old`` is so in ``new``, too: it has scores now, and is looked at next."""
    _run(
        f"""
        UPDATE queue_entry e SET band = {TO_MACHINE} FROM queue_entry before
        WHERE before.ranking_id = %s AND {IS_LEFT_TO_MACHINE.replace("e.", "before.")}
          AND e.ranking_id = %s AND e.item_id = before.item_id AND e.taken = 0 AND NOT {IS_ASKED_FIRST}
        """,  # noqa: S608  (constants)
        [old.pk, new.pk],
    )


@transaction.atomic
def give_back(*, project: Project) -> list[int]:
    """The machine has looked at what has a place in the order in force: ids of the photos that people are asked for now."""
    ranking = share_ranking(project)
    if ranking is None:
        return []
    return _run(
        f"""
        UPDATE queue_entry e SET band = {BACK_FROM_MACHINE}
        WHERE e.ranking_id = %s AND e.taken = 0 AND {IS_LEFT_TO_MACHINE}
              AND (e.ladder_id IS NOT NULL OR (%s AND NOT e.late))
        RETURNING e.item_id
        """,  # noqa: S608  (constants)
        [ranking.pk, ranking.model_version_id is None],
    )


def give_back_overdue(ranking: Ranking) -> list[int]:
    """The same of all that came more than ``PATIENCE`` ago."""
    return _run(
        f"""
        UPDATE queue_entry e SET band = {BACK_FROM_MACHINE} FROM catalog_item i
        WHERE e.ranking_id = %s AND e.taken = 0 AND {IS_LEFT_TO_MACHINE} AND i.id = e.item_id AND i.added_at < %s
        RETURNING e.item_id
        """,  # noqa: S608  (constants)
        [ranking.pk, timezone.now() - PATIENCE],
    )


def _run(sql: str, parameters: Sequence[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()] if cursor.description else []
