"""What a digest says: the events by kind, the first few with what they say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.formats import localize

from labeling.notify.channels.channel import Told
from labeling.notify.kinds import KINDS

#: Of each kind, as many events are told with what they say; the others are counted.
LINES = 10


@dataclass(frozen=True, slots=True)
class Part:
    """Events of one kind. ``more``: how many were left out of ``lines``."""

    title: str
    n: int
    lines: list[str]
    more: int


def wants_body(earlier: int) -> bool:
    """Whether an event is told with what it says, where so many of its kind were before."""
    return earlier < LINES


def parts_of(told: Sequence[Told]) -> list[Part]:
    """In the language that is in force, kinds in the order in which they first came."""
    of_kind: dict[str, list[Told]] = defaultdict(list)
    for each in told:
        of_kind[each.event.kind].append(each)
    parts = []
    for name, some in of_kind.items():
        lines = [line(each) for each in some if each.body is not None]
        parts.append(Part(title_of(name), len(some), lines, len(some) - len(lines)))
    return parts


def title_of(kind: str) -> str:
    return str(KINDS[kind].title) if kind in KINDS else kind


def line(told: Told) -> str:
    body = told.body or {}
    when = timezone.localtime(told.event.at)
    at = f"{localize(when)} {when:%Z}"
    project = body.get("project") if told.endpoint_hears_all else None
    said = [f"{name}: {value}" for name, value in _said(body.get("data", {})) if value is not None]
    return " · ".join([at, *([project] if project else []), told.event.subject, ", ".join(said)])


def _said(data: dict[str, Any]) -> list[tuple[str, Any]]:
    """Names are those of the events' schema, so that what a digest says can be looked up."""
    short = []
    for name, value in data.items():
        if isinstance(value, dict):
            value = value.get("id")
        elif isinstance(value, list):
            value = len(value)
        short.append((name, value))
    return short
