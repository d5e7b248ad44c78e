"""What is typed to answer each class: a digit where there are up to nine, else two signs made from the class's key.

A class keeps its two signs for as long as it is there, whatever it is called and however the classes are ordered: they are
dealt out in the order in which the classes were made, and a class that is out of use holds its own for the day it is back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from string import ascii_lowercase, digits

from labeling.catalog.models import ClassDefinition, ClassState
from labeling.people.keys import LETTERS

#: So many classes are answered by one digit each.
BY_DIGIT = 9
#: No code of two signs begins with a letter that does something by itself: the first sign already says which is meant.
_FIRST = [letter for letter in ascii_lowercase if letter not in LETTERS]
_SECOND = ascii_lowercase + digits
_NOT_SIGNS = re.compile(r"[^a-z0-9]+")


def codes_of(definitions: Sequence[ClassDefinition]) -> dict[int, str]:
    """Label class id -> what is typed for it, of the classes in use. ``definitions``: all that one version says, in order.

    There are 612 codes of two signs, and at most 500 classes in use: where those out of use hold too many, they give.
    """
    active = [row for row in definitions if row.state == ClassState.ACTIVE]
    if len(active) <= BY_DIGIT:
        return {row.label_class_id: str(place) for place, row in enumerate(active, start=1)}
    held: dict[int, str] = {}
    taken: set[str] = set()
    for row in sorted(definitions, key=lambda row: row.label_class_id):
        if code := next(_free(row.label_class.key, taken), None):
            held[row.label_class_id] = code
            taken.add(code)
    in_use = {row.label_class_id for row in active}
    spare = [code for class_id, code in held.items() if class_id not in in_use]
    return {class_id: held.get(class_id) or spare.pop() for class_id in sorted(in_use)}


def _free(key: str, taken: set[str]) -> Iterator[str]:
    return (code for code in _wanted(key) if code not in taken)


def _wanted(key: str) -> Iterable[str]:
    """Codes for a class with this key, best first: initials, then signs of the key in their order, then any."""
    words = [word for word in _NOT_SIGNS.split(key) if word]
    initials = [word[0] for word in words]
    yield from _pairs(initials)
    signs = [sign for word in words for sign in word]
    yield from _pairs(signs)
    firsts = [sign for sign in dict.fromkeys(signs) if sign in _FIRST] + _FIRST
    for first in dict.fromkeys(firsts):
        for second in _SECOND:
            yield first + second


def _pairs(signs: Sequence[str]) -> Iterator[str]:
    """Two of the signs, the later one behind the earlier one."""
    for at, first in enumerate(signs):
        if first in _FIRST:
            for second in signs[at + 1 :]:
                yield first + second
