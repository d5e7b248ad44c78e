"""What the labels of photos drawn at random say, kept until they say more.

Each of these photos has to be looked up: tens of thousands in a large project, while one in fifty answers is about one of
them. So what was found is kept, a process, under the number of their ground truths, which the database counts.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

from django.core.cache import cache

from labeling.catalog.models import Project
from labeling.database.kept_counts import totals

T = TypeVar("T")
#: What else may change what they say, as near-duplicates that are joined, is seen after so many seconds.
_KEPT_S = 600


def kept_while_unchanged(name: str, project: Project, about: object, find: Callable[[], T]) -> T:
    """What ``find()`` gives; ``about``: all that it goes by besides the photos, told apart by its ``repr``."""
    seen = totals(project)
    drawn = sum(each.n for each in seen["photos"] if each.key == ("drawn",))
    truths = sum(each.n for each in seen["drawn"] if each.key == ("truths",))
    told = sha256(repr((about, drawn, truths)).encode()).hexdigest()
    key = f"random-labels:{name}:{project.pk}:{told}"
    known: tuple[T] | None = cache.get(key)
    if known is None:
        known = (find(),)
        cache.set(key, known, _KEPT_S)
    return known[0]
