"""Texts that people spelled in several ways: which of them are one.

Two spellings of a word are one where a slip of the hand lies between them: a letter left out, added, taken for another, or
two that changed places (the optimal string alignment distance: Damerau, 1964, https://doi.org/10.1145/363958.363994). A
Korean syllable is one sign of two or three letters, so words are compared by those (NFD, Unicode Standard Annex 15): 교환
and 교한 are one letter apart, 교환 and 교체 three. A word with a digit is what it is: 12 and 13 are no slip.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from rapidfuzz.distance import OSA

from labeling.text.plain import composed
from labeling.text.spelling import letters

#: Letters that a word must have for one slip, and for two. "left" and "lift" are two words, and so are many short ones.
ONE_SLIP, TWO_SLIPS = 5, 10
#: The same for Korean: four letters are two syllables.
KOREAN_SLIP = 4
_HANGUL = re.compile("[가-힣]")
_WORDS = re.compile(r"[가-힣]+|\d+|[^\W\d_가-힣]+")
#: Words that tell two things apart, however much else they share.
OPPOSITES = (
    ("front", "rear"), ("front", "back"), ("left", "right"), ("inside", "outside"), ("interior", "exterior"),
    ("inner", "outer"), ("upper", "lower"), ("top", "bottom"), ("before", "after"), ("in", "out"), ("on", "off"),
    ("with", "without"),
    ("앞", "뒤"), ("앞", "뒷"), ("전면", "후면"), ("전방", "후방"), ("좌", "우"), ("왼", "오른"), ("내부", "외부"),
    ("실내", "실외"), ("안쪽", "바깥"), ("상부", "하부"), ("입고", "출고"),
)  # fmt: skip


def words_of(text: str) -> list[str]:
    """Its words and numbers, in their order: 엔진oil 5 has three."""
    return _WORDS.findall(composed(text).casefold())


def is_slip(one: str, other: str) -> bool:
    """Whether one is the other with a slip of the hand in it."""
    if one == other:
        return True
    if any(map(str.isdigit, one + other)) or is_opposite([one], [other]):
        return False
    korean = bool(_HANGUL.search(one) or _HANGUL.search(other))
    first, second = letters(one), letters(other)
    shorter = min(len(first), len(second))
    least = KOREAN_SLIP if korean else ONE_SLIP
    most = 0 if shorter < least else 2 if shorter >= TWO_SLIPS and not korean else 1
    return most > 0 and OSA.distance(first, second, score_cutoff=most) <= most


def is_opposite(one: Collection[str], other: Collection[str]) -> bool:
    """Whether words of one are opposites of the other's, as 앞범퍼 and 뒷범퍼, or front and rear."""
    return any(
        (_has(one, a) and _has(other, b) and not (_has(one, b) or _has(other, a)))
        or (_has(one, b) and _has(other, a) and not (_has(one, a) or _has(other, b)))
        for a, b in OPPOSITES
    )


def _has(words: Collection[str], part: str) -> bool:
    """Korean writes such a word at the beginning of the next one."""
    return part in words or (_HANGUL.match(part) is not None and any(word.startswith(part) for word in words))


def are_one(one: list[str], other: list[str]) -> bool:
    """Whether two lists of words say the same: by the same words in any order, however they are parted, but for slips."""
    if sorted(one) == sorted(other) or "".join(one) == "".join(other):
        return True
    if len(one) == len(other) and all(map(is_slip, sorted(one), sorted(other))):
        return True
    return not is_opposite(one, other) and is_slip("".join(one), "".join(other))
