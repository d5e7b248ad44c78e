"""Numbers as people type them, on any keyboard: full-width digits, a decimal comma, blanks around."""

from __future__ import annotations

import math
import re

# Full-width signs, as Korean keyboards have them; Python reads digits of any script itself.
_SIGNS = str.maketrans("，．－＋", ",.-+")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)")
# A thousand for some, and one for others. No thousands begin with a zero, so "0,005" is no riddle.
_RIDDLE = re.compile(r"[+-]?(?![0０])\d{1,3},\d{3}")


def whole(text: str, *, digits: int = 7) -> int | None:
    """A whole number of at most so many ``digits``, never negative; ``None`` for all else."""
    typed = text.strip()
    return int(typed) if typed.isdecimal() and len(typed) <= digits else None


def real(text: str) -> float | None:
    """A finite number in plain digits with one decimal sign, "0,5" or "98.5"; ``None`` for all else.

    Refused is what people read in two ways, "1,000", and what only Python reads as a number: "9_9", "1e3", "nan".
    """
    typed = text.strip().translate(_SIGNS)
    if not _NUMBER.fullmatch(typed) or _RIDDLE.fullmatch(typed):
        return None
    number = float(typed.replace(",", "."))
    return number if math.isfinite(number) else None
