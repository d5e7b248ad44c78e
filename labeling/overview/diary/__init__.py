"""The project's activity as sentences: a file a topic, each with its kinds of activity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from itertools import groupby
from pkgutil import iter_modules

from django.utils.translation import gettext as _

from labeling.catalog.models import Activity, Project
from labeling.catalog.selectors import activity, class_names_by_key, current_guideline
from labeling.overview.diary.kind import Data, Kind
from labeling.text.plain import isolated

#: By topic, as the files are called.
KINDS_OF: dict[str, dict[str, Kind]] = {
    file.name: kinds
    for file in iter_modules(__path__)
    if (kinds := getattr(import_module(f"{__name__}.{file.name}"), "KINDS", None))
}
KINDS: dict[str, Kind] = {name: kind for kinds in KINDS_OF.values() for name, kind in kinds.items()}
#: Of a kind that is known no more, or not yet: it is said by its name.
_UNKNOWN = Kind("dot", "", "")


@dataclass(frozen=True)
class DiaryLine:
    """``icon`` and ``page`` as of its :class:`Kind`."""

    at: datetime
    text: str
    icon: str
    page: str


def diary(project: Project, *, limit: int = 20) -> list[DiaryLine]:
    """The newest lines, newest first. An afternoon of rulings is one line, or it would hide everything else."""
    lines: list[DiaryLine] = []
    names = class_names_by_key(current_guideline(project))
    for _key, group in groupby(activity(project, limit=limit * 10), key=_alike):
        newest, *older = group
        if older:
            newest.data = {**newest.data, "times": 1 + len(older)}
        kind = KINDS.get(newest.kind, _UNKNOWN)
        lines.append(DiaryLine(newest.at, sentence(newest, names), kind.icon, kind.page))
    return lines[:limit]


def _alike(entry: Activity) -> tuple[str, int | None]:
    """Neighbours with the same key share a line; an entry that is not counted has a key of its own."""
    return (entry.kind, entry.actor_id) if KINDS.get(entry.kind, _UNKNOWN).many else ("", entry.pk)


#: Where an activity keeps a class, it keeps its key.
_CLASSES = ("class", "key", "said")


def sentence(entry: Activity, names: Mapping[str, str] | None = None) -> str:
    """One activity in words. An unknown kind is still said, by its name.

    ``names`` is class key -> name; a class that is not there is called by its key.
    """
    data: Data = {"who": str(entry.actor) if entry.actor else _("Hilltop"), **entry.data}
    data |= {name: (names or {}).get(data[name], data[name]) for name in _CLASSES if data.get(name)}
    data = {name: isolated(value) if isinstance(value, str) else value for name, value in data.items()}
    try:
        return KINDS[entry.kind].said(data)
    except (
        KeyError,
        TypeError,
        ValueError,
    ):  # also an older row that carries less than today's sentence wants
        return f"{data['who']}: {entry.kind.replace('_', ' ')}"
