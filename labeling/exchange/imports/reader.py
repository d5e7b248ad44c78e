"""What a reader of a format is, and what it says of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labeling.exchange.imports.package import Package

#: Role -> name of the column or field that says it.
Columns = Mapping[str, str]
ROLES = ("photo", "label", "annotator")


@dataclass(frozen=True, slots=True)
class Said:
    """What one person said of one photo. ``place``: where in the file, for people. ``photo``: its name or address there.

    ``sha256``: of its bytes, where the file says so. ``fault``: a code of :mod:`labeling.exchange.imports.reasons`, where
    this place makes no sense; the rest may be empty then.
    """

    place: str
    photo: str = ""
    labels: tuple[str, ...] = ()
    annotator: str = ""
    sha256: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Fields:
    """What can be chosen where a format does not say which of its fields is what.

    ``preview``: names of columns, then the cells of the first rows.
    """

    names: dict[str, list[str]] = field(default_factory=dict)
    preview: list[list[str]] = field(default_factory=list)


class Unreadable(Exception):
    """The whole file cannot be used. The text says why and what to do."""


def no_fields(_package: Package) -> Fields:
    return Fields()


@dataclass(frozen=True)
class Reader:
    """``recognises``: whether a package is of this format, by its beginning. ``read``: all that is said, a place at a time,
    in flat memory but for what must be joined. ``fields``: what of it can be chosen, by role, the likeliest first.

    All three may raise :class:`Unreadable`.
    """

    title: str
    recognises: Callable[[Package], bool]
    read: Callable[[Package, Columns], Iterator[Said]]
    fields: Callable[[Package], Fields] = no_fields


def text(value: Any) -> str:
    """A value of a cell as a label or name is written."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # pandas turns whole numbers of a column with gaps into these
    return str(value).strip()
