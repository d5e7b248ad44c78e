"""Names of what an archive holds, looked up on the disk: in memory each of 250,000 takes a kilobyte or two."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from labeling.exchange.imports.photo_names import ENDINGS

_TABLE = """
CREATE TABLE member (place INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, number INTEGER NOT NULL, ending TEXT NOT NULL,
                     photo INTEGER NOT NULL, last TEXT NOT NULL, stem TEXT NOT NULL, sha256 TEXT)
"""
# Of two members of one name the later one is meant, as everything that unpacks an archive has it.
_ADD = """
INSERT INTO member (name, number, ending, photo, last, stem) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET number = excluded.number
"""
_AT_ONCE = 1000


class Members:
    """``named``: names, each with the member's number. Kept until it is closed, in a file that has no name."""

    def __init__(self, named: Iterable[tuple[str, int]]) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        try:
            self._database.execute("PRAGMA journal_mode = OFF")
            self._database.execute(_TABLE)
            self._database.execute("BEGIN")
            self._database.executemany(_ADD, (_row(name, number) for name, number in named))
            for column in ("last", "stem"):
                self._database.execute(f"CREATE INDEX by_{column} ON member ({column})")
            self._database.execute("COMMIT")
        except BaseException:
            self.close()
            raise
        self.photos = int(self._one("SELECT count(*) FROM member WHERE photo") or 0)

    def close(self) -> None:
        self._database.close()

    def number(self, name: str) -> int:
        """Raises :class:`KeyError`."""
        found = self._one("SELECT number FROM member WHERE name = ?", name)
        if found is None:
            raise KeyError(name)
        return int(found)

    def ending_in(self, *endings: str) -> list[str]:
        """Names, in the archive's order. ``endings``: small, with their dots."""
        marks = ", ".join("?" * len(endings))
        query = f"SELECT name FROM member WHERE ending IN ({marks}) ORDER BY place"  # noqa: S608 - marks alone
        return [name for (name,) in self._database.execute(query, endings)]

    def each_photo(self) -> Iterator[str]:
        """Names of photos, in the archive's order."""
        query = "SELECT place, name FROM member WHERE photo AND place > ? ORDER BY place LIMIT ?"
        last = 0
        while some := self._database.execute(query, (last, _AT_ONCE)).fetchall():
            last = some[-1][0]
            yield from (name for _place, name in some)

    def is_photo(self, name: str) -> bool:
        return bool(self._one("SELECT photo FROM member WHERE name = ?", name))

    def photos_called(self, last: str) -> list[str]:
        """Those whose last part is this one, or is but for its ending."""
        query = "SELECT name FROM member WHERE photo AND (last = ?1 OR stem = ?1) ORDER BY place"
        return [name for (name,) in self._database.execute(query, (last,))]

    def photo(self, name: str) -> tuple[int, str | None]:
        """Its number, and its SHA-256 as it was kept: ``None`` where nobody has read it yet."""
        query = "SELECT number, sha256 FROM member WHERE name = ?"
        number, sha256 = self._database.execute(query, (name,)).fetchone()
        return number, sha256

    def keep_sha256(self, name: str, sha256: str) -> None:
        self._database.execute("UPDATE member SET sha256 = ? WHERE name = ?", (sha256, name))

    def _one(self, query: str, *given: str) -> int | str | None:
        row = self._database.execute(query, given).fetchone()
        return None if row is None else row[0]


def _row(name: str, number: int) -> tuple[str, int, str, bool, str, str]:
    last = name.rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    ending = f"{dot}{ending}".lower()
    return name, number, ending, ending in ENDINGS, last, stem
