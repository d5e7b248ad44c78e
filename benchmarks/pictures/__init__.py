"""Sets of pictures beside ELPV to judge a head on: classes and a file each, from packages or made on the spot.

Nothing of them is in this repository. A set whose package is missing says how to install it; one that is made comes out
the same each time. One file a set; each has a ``load`` that gives ``Pictures``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from benchmarks.pictures import clipart, digits, emoji, metal, stamps, textile
from benchmarks.pictures.base import NotInstalled, Pictures

__all__ = ["SETS", "NotInstalled", "Pictures", "load"]

#: Name -> its pictures, in a fixed order.
SETS: dict[str, Callable[[], Pictures]] = {
    "clipart": clipart.load,
    "digits": digits.load,
    "emoji": emoji.load,
    "metal": metal.load,
    "stamps": stamps.load,
    "textile": textile.load,
}


@cache
def load(name: str) -> Pictures:
    """One set, whole.

    Raises:
        LookupError: no set of this name.
        NotInstalled: its package is missing; the message says how to install it.
    """
    if name not in SETS:
        raise LookupError(f"No set of pictures named {name}. There are: {', '.join(SETS)}.")
    return SETS[name]()
