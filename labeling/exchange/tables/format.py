"""What a format of exports is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

#: Chunks of rows; a row has a value for each column: text, number, truth value, time, list, dict or None.
Rows = Iterable[list[dict[str, Any]]]


@dataclass(frozen=True)
class Format:
    """``written(chunks, columns)``: the file's bytes, a piece for each chunk, none read before it is asked for.

    ``content_type`` is a media type, with a charset where it has one; ``says`` stands in the API's schema.
    """

    content_type: str
    says: str
    written: Callable[[Rows, tuple[str, ...]], Iterator[bytes]]
