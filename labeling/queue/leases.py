"""Leases as a claim hands them out: each with its photo, in one statement."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import connection

from labeling.catalog.models import Image, Item, Project
from labeling.people.models import User
from labeling.queue.models import Slot

#: What :func:`slot_of` reads, of a ``queue_slot s`` with its ``catalog_item i`` and its ``catalog_image g``.
SLOT = (
    "s.id, s.item_id, s.round, s.number, s.draw, s.context, s.leased_at, s.expires_at,"
    " i.image_id, i.name, g.sha256, g.format, g.width, g.height, g.size"
)


def slot_of(row: tuple[Any, ...], project: Project, labeler: User) -> Slot:
    (
        lease,
        item,
        round,
        number,
        draw,
        context,
        leased,
        expires,
        image,
        name,
        sha,
        kind,
        width,
        height,
        size,
    ) = row
    return Slot(
        id=lease,
        project=project,
        item=Item(
            pk=item,
            project=project,
            name=name,
            image=Image(pk=image, sha256=sha, format=kind, width=width, height=height, size=size),
        ),
        round=round,
        number=number,
        holder=labeler,
        draw=draw,
        context=json.loads(context),
        leased_at=leased,
        expires_at=expires,
    )


def leases_of(project: Project, labeler: User, limit: int) -> list[Slot]:
    """What the labeler holds one at a time, oldest first. The photos of a grid are the sweep's."""
    return _read(
        project,
        labeler,
        """
        s.project_id = %s AND s.holder_id = %s AND s.annotation_id IS NULL AND s.skipped_at IS NULL AND s.draw <> 'sweep'
        ORDER BY s.leased_at LIMIT %s
        """,
        [project.pk, labeler.pk, limit],
    )


def lease_of(project: Project, labeler: User, lease: UUID) -> Slot | None:
    """One that this person holds, as the caller knows; ``None`` where there is no such lease."""
    found = _read(project, labeler, "s.id = %s", [lease])
    return found[0] if found else None


# Only what stands in this file is put into the statement.
def _read(project: Project, labeler: User, which: str, parameters: list[Any]) -> list[Slot]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {SLOT} FROM queue_slot s
            JOIN catalog_item i ON i.id = s.item_id JOIN catalog_image g ON g.id = i.image_id WHERE {which}
            """,  # noqa: S608
            parameters,
        )
        return [slot_of(row, project, labeler) for row in cursor.fetchall()]
