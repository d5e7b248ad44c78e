"""What a format of data sets is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labeling.exchange.writing import Written

#: What a row can say beside its photo and class, and whoever reads the file may want.
SAYS = ("split", "name", "source", "origin", "promise", "stated", "guideline", "settled_at", "metadata")


@dataclass(frozen=True)
class Format:
    """``write(written)``: the file's bytes in pieces. ``carries``: which of :data:`SAYS` a reader finds in it.

    ``holds_pictures``: photos can lie in the file; ``needs_pictures``: and it says nothing without them.
    """

    title: str
    ending: str
    content_type: str
    carries: frozenset[str]
    write: Callable[[Written], Iterator[bytes]]
    holds_pictures: bool = False
    needs_pictures: bool = False

    @property
    def leaves_out(self) -> list[str]:
        """What the file cannot carry."""
        return [name for name in SAYS if name not in self.carries]
