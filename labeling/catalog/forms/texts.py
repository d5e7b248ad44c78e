"""Texts in forms: as long as the model's column, and lists that are typed one a line."""

from __future__ import annotations

from django.db.models import Model
from django.utils.translation import gettext_lazy

ONE_A_LINE = gettext_lazy("One a line.")


def longest(model: type[Model], field: str) -> int:
    """Characters that the column holds."""
    length = getattr(model._meta.get_field(field), "max_length", None)
    assert isinstance(length, int), f"{model.__name__}.{field} has no limit"
    return length


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
