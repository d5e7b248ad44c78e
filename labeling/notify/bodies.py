"""The body of an event, made of the rows that tell of it whenever it is delivered: the same each time, for these rows are
only appended to; but what was erased meanwhile is told as erased."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DataError, transaction

from labeling.notify.kinds import KINDS
from labeling.notify.kinds.kind import TEXT, Json, Kind, Render, or_null, whole
from labeling.notify.models import Event

logger = logging.getLogger(__name__)


def schema_of(kind: Kind) -> Json:
    """JSON Schema (2020-12) of the body of this kind."""
    return whole(
        {
            "type": {"type": "string", "const": kind.name},
            "version": {"type": "integer", "const": kind.version},
            "timestamp": {"type": "string", "format": "date-time"},
            "project": or_null(TEXT),
            "subject": TEXT,
            "data": whole(kind.data),
        }
    )


def bodies_of(events: Iterable[Event]) -> dict[int, Json]:
    """Event's id -> body. One is missing where the rows that it tells of are gone, or cannot be told."""
    alike: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        alike[event.kind, event.source].append(event)
    bodies: dict[int, Json] = {}
    for (name, source), some in alike.items():
        kind = KINDS.get(name)
        if kind is None or source not in kind.sources:
            logger.error("there is no kind of event %s of %s", name, source)
            continue
        data = _data(kind.sources[source], [event.row for event in some])
        bodies |= {event.pk: _body(kind, event, data[event.row]) for event in some if event.row in data}
    return bodies


def _data(render: Render, rows: Sequence[str]) -> dict[str, Any]:
    """One row that cannot be told does not keep the others."""
    try:
        with transaction.atomic():
            return dict(render(rows))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, DataError):
        if len(rows) == 1:
            logger.exception("row %s cannot be told", rows[0])
            return {}
        return {key: data for row in rows for key, data in _data(render, [row]).items()}


def _body(kind: Kind, event: Event, data: Any) -> Json:
    return {
        "type": kind.name,
        "version": kind.version,
        "timestamp": event.at.isoformat(),
        "project": event.project.slug if event.project_id and event.project else None,
        "subject": event.subject,
        "data": data,
    }
