"""Classes under their headings, and by what they are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from labeling.catalog.models import ClassDefinition

T = TypeVar("T")
#: So many classes are read at a glance; more are folded, and found by their names.
FEW = 12


def by_group(rows: Iterable[T], of: Callable[[T], ClassDefinition]) -> list[tuple[str, list[T]]]:
    """(heading, its rows), headings in the order in which they are first met; one empty heading where none is said."""
    groups: dict[str, list[T]] = {}
    for row in rows:
        groups.setdefault(of(row).group, []).append(row)
    return list(groups.items())


def groups_of(definitions: Iterable[ClassDefinition]) -> list[str]:
    """The headings in use, to choose from."""
    return list(dict.fromkeys(each.group for each in definitions if each.group))


def found(definitions: Sequence[ClassDefinition], find: str) -> list[ClassDefinition]:
    """Those whose name, key or heading has this text; those whose name begins with it first."""
    wanted = " ".join(find.split()).casefold()
    those = [
        each
        for each in definitions
        if any(wanted in text.casefold() for text in (each.name, each.label_class.key, each.group))
    ]
    return sorted(those, key=lambda each: not each.name.casefold().startswith(wanted))
