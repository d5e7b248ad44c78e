"""How deep the brackets of a JSON text stand in each other, and how long its strings are, before a parser keeps either.

A parser that says where each value stands names all the brackets around it: 100 kB of "[" are 25 GB of names.
"""

from __future__ import annotations

import re
from typing import IO

from labeling.exchange.imports.reader import Unreadable

DEEPEST = 100
LONGEST_STRING = 2**25
_AT_ONCE = 2**20
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))


def refuse_deep(file: IO[bytes]) -> None:
    """Reads it to its end. Raises :class:`Unreadable` where labels could not be nested so."""
    depth, rest = 0, b""
    while piece := file.read(_AT_ONCE):
        told = _STRING.sub(b"", rest + piece)
        begun = told.find(b'"')  # of a string that ends in a later piece
        told, rest = (told, b"") if begun < 0 else (told[:begun], told[begun:])
        for bracket in told.translate(None, _OTHERS):
            depth += 1 if bracket in b"[{" else -1
            if depth > DEEPEST:
                raise Unreadable("Its lists stand in each other too deep for labels. Export it again.")
        if len(rest) > LONGEST_STRING:
            raise Unreadable(
                "A text in it is too long for labels. Export it again, without the photos' bytes."
            )
