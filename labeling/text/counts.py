"""Counts as sentences say them: with their thousands apart."""

from __future__ import annotations

from typing import Any, TypeVar

from django.utils.formats import number_format

T = TypeVar("T")


class Count(int):
    """A whole number that a sentence says with its thousands apart: 12,345. By ``%s`` and ``{}``; ``%d`` is plain."""

    def __str__(self) -> str:
        return str(number_format(int(self), force_grouping=True))


def counted(value: T) -> T:
    """``value`` with a :class:`Count` for each of its whole numbers, however deep."""
    found: Any = value
    if isinstance(value, dict):
        found = {name: counted(each) for name, each in value.items()}
    elif isinstance(value, list):
        found = [counted(each) for each in value]
    elif isinstance(value, int) and not isinstance(value, bool):
        found = Count(value)
    return found  # type: ignore[no-any-return]
