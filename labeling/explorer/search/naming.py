"""Whether a search that somebody kept says which photo was meant: once that is erased, it is not to be kept."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qs

from labeling.catalog.metadata.values import is_said
from labeling.catalog.models import Project
from labeling.explorer.search.pairs import Pair, pairs_of


class KnownBy:
    """By what erased photos of a project could be found.

    ``names``: file names and hashes. ``said``: (name, value as a text) of all that their metadata ever said. A value that
    another photo of the project has as well names none of them.
    """

    def __init__(
        self, project: Project, *, names: Collection[str], said: Collection[tuple[str, str]] = ()
    ) -> None:
        self._project = project
        self._names = [name.lower() for name in names]
        self._said = set(said)
        self._theirs: dict[tuple[str, str], bool] = {}

    def is_meant_by(self, query: str) -> bool:
        """Whether the search is narrowed to one of them, or to photos like it."""
        given = parse_qs(query)
        asked = " ".join(given.get("q", []) + given.get("like", []) + given.get("words", [])).lower()
        return (bool(asked) and any(name in asked for name in self._names)) or any(
            self._is_theirs(pair.name, pair.value)
            for text in given.get("metadata", [])
            for pair in _pairs(text)
            if pair.sign == "="
        )

    def _is_theirs(self, name: str, value: str) -> bool:
        if (name, value) not in self._said:
            return False
        if (name, value) not in self._theirs:
            self._theirs[name, value] = not is_said(self._project, name, value)
        return self._theirs[name, value]


def _pairs(text: str) -> list[Pair]:
    try:
        return pairs_of(text)
    except ValueError:  # it was kept when it could be read
        return []
