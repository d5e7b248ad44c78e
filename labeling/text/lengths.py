"""How long a text may be: as long as the model's column."""

from __future__ import annotations

from django.db.models import Model


def longest(model: type[Model], field: str) -> int:
    """Characters that the column holds."""
    length = getattr(model._meta.get_field(field), "max_length", None)
    assert isinstance(length, int), f"{model.__name__}.{field} has no limit"
    return length
