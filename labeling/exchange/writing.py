"""One writing of a data set: its rows, their photos, and what was written, counted as it goes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from labeling.catalog import renditions, storage
from labeling.catalog.references import NotThere
from labeling.exchange.format import Format
from labeling.exchange.models import DataSet, Pictures
from labeling.exchange.rows import Row, rows_of
from labeling.store.objects import StoreAway


class Written:
    """``counts``: (split, class) -> photos. ``missing``: hashes of photos that the storage does not hold any more.

    ``not_there``: why, of those that stay elsewhere.
    """

    def __init__(self, data_set: DataSet, format: Format) -> None:
        self.data_set = data_set
        self.format = format
        self.counts: Counter[tuple[str, str]] = Counter()
        self.missing: list[str] = []
        self.not_there: dict[str, str] = {}
        self._digest = hashlib.sha256()

    def chunks(self) -> Iterator[list[Row]]:
        """The rows, counted. Those without a photo are in it where none is written."""
        for rows in rows_of(self.data_set):
            for row in rows:
                self._count(row)
            yield rows

    def photos(self) -> Iterator[tuple[Row, bytes]]:
        """The rows and their photos, counted; what the storage lost is told in the manifest, and the others come.

        Raises :class:`~labeling.store.objects.StoreAway`: half of a data set is none.
        """
        for rows in rows_of(self.data_set):
            for row in rows:
                try:
                    data = self._read(row)
                except FileNotFoundError as lost:
                    if isinstance(lost, NotThere):
                        if lost.code == "silent":
                            raise StoreAway(str(lost)) from lost
                        self.not_there[row.sha256] = str(lost)
                    self.missing.append(row.sha256)
                    continue
                self._count(row)
                yield row, data

    def again(self) -> Iterator[list[Row]]:
        """The rows that :meth:`photos` gave, once more, without the photos."""
        missing = set(self.missing)
        for rows in rows_of(self.data_set):
            yield [row for row in rows if row.sha256 not in missing]

    @property
    def has_pictures(self) -> bool:
        return self.data_set.pictures != Pictures.NONE

    def file_name(self, row: Row) -> str:
        """As the photo is called in the file."""
        return row.file_name("webp" if self.data_set.pictures == Pictures.SCREEN else "")

    def _read(self, row: Row) -> bytes:
        if self.data_set.pictures == Pictures.SCREEN:
            return storage.rendition_of(row.sha256, "screen")
        return storage.original(row)

    def _count(self, row: Row) -> None:
        self.counts[row.split, row.label] += 1
        self._digest.update(f"{row.sha256} {row.label} {row.split}\n".encode())

    def summary(self) -> dict[str, Any]:
        """What came out: rows by split and class, and a SHA-256 over the lines "photo class split" in their order."""
        splits: dict[str, dict[str, int]] = {}
        for (split, label), count in sorted(self.counts.items()):
            splits.setdefault(split, {})[label] = count
        return {
            "rows": sum(self.counts.values()),
            "splits": splits,
            "sha256_of_rows": self._digest.hexdigest(),
            "missing_photos": self.missing,
            "why_missing": self.not_there,
        }

    def size(self, row: Row) -> tuple[int, int]:
        """Width and height of the photo as it is in the file, in pixels."""
        if self.data_set.pictures == Pictures.SCREEN and not renditions.is_whole(row.width, row.height):
            return renditions.fitted(row.width, row.height, renditions.VARIANTS["screen"][0])
        return row.width, row.height
