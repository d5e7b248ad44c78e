"""Where the review page asks for settled photos that look similar, without knowing what an embedding is.

Embeddings live in a room above this one, which answers. Where it finds nothing (no photo is embedded or settled yet), the
page falls back to the guideline's exemplars.
"""

from __future__ import annotations

from typing import Any

from labeling.catalog.models import Project
from labeling.truth import events


def similar_settled(project: Project, item_id: int, *, limit: int) -> dict[int, list[int]]:
    """Up to ``limit`` settled item ids, nearest first, by the class they were settled as; empty when nothing can say what is
    similar."""
    answers: list[tuple[Any, Any]] = events.similar_asked.send(
        sender=Project, project=project, item_id=item_id, limit=limit
    )
    return next((found for _receiver, found in answers if found), {})
