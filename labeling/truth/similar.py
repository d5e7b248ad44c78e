"""Where the review page asks for settled photos that look similar, without knowing what an embedding is.

Embeddings live in a room above this one. That room registers a finder when Django starts; where it finds nothing (no photo
is embedded or settled yet), the page falls back to the guideline's exemplars.
"""

from __future__ import annotations

from collections.abc import Callable

from labeling.catalog.models import Project

#: ``finder(project, item_id, limit)`` gives up to ``limit`` settled item ids a class, nearest first, by class id.
Finder = Callable[[Project, int, int], dict[int, list[int]]]
_finders: list[Finder] = []


def register(finder: Finder) -> None:
    if finder not in _finders:
        _finders.append(finder)


def similar_settled(project: Project, item_id: int, *, limit: int) -> dict[int, list[int]]:
    """Settled item ids by the class they were settled as; empty when nothing can say what is similar."""
    for finder in _finders:
        if found := finder(project, item_id, limit):
            return found
    return {}
