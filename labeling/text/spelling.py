"""Two spellings that nobody means anything by, as one; and words by their letters."""

from __future__ import annotations

import re
import unicodedata

from labeling.text.plain import composed


def spelled(text: str) -> str:
    """A text without what nobody means by it: small and large letters, spaces, ``_`` and ``-`` of any number."""
    return re.sub(r"[\s_-]+", " ", composed(text)).strip().casefold()


def letters(word: str) -> str:
    """A word by its letters: Korean syllables taken apart."""
    return unicodedata.normalize("NFD", word)
