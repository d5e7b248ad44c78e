"""Counts that labelers see, late on purpose.

A count that followed each answer would tell what a photo's other labeler had said: it rises where both agree. Who could
then take the answer back and give the other one would not be blind any more. So what is shown was counted at least as
long ago as an answer can be taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.core.cache import cache
from django.utils import timezone

from labeling.catalog.models import Project

T = TypeVar("T")
#: A count costs something and is shown with every photo, so it is not made anew more often than this (seconds).
LEAST_S = 30
_KEPT_S = 7 * 24 * 3600


@dataclass(frozen=True)
class Late(Generic[T]):
    """A count, and when it was made: who reads it must be told, or takes it for the count of now."""

    value: T
    at: datetime


@dataclass(frozen=True)
class _Counts(Generic[T]):
    shown: Late[T]
    coming: Late[T]


def late(name: str, project: Project, count: Callable[[], T]) -> Late[T]:
    """What ``count()`` gave a while ago. A process that has not counted yet shows what it counts now."""
    key = f"late-of:{name}:{project.pk}"
    now = timezone.now()
    held: _Counts[T] | None = cache.get(key)
    if held is not None and (now - held.coming.at).total_seconds() < max(LEAST_S, project.undo_seconds):
        return held.shown
    fresh = Late(count(), now)
    held = _Counts(shown=held.coming if held else fresh, coming=fresh)
    cache.set(key, held, timeout=_KEPT_S)
    return held.shown
