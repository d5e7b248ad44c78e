"""Text from outside without characters that nobody means to type, names in one spelling, and text of any direction.

Two dangers, two answers. Control characters, among them the ones that turn the direction of all text after them
(U+202A to U+202E, U+2066 to U+2069; Unicode Standard Annex 9), are taken away where text comes in: by the API's
JSON parser, by a middleware for the pages' forms, and from names of files. A name in a right-to-left script is no
danger, and must not rearrange the words around it: templates put it in ``<bdi>``, sentences use :func:`isolated`.

The same letters can be spelled in several ways: macOS writes a file's name 앞면 in five pieces of letters. So names are
kept, and looked for, :func:`composed`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

#: C0 and C1 controls but tab and line ends, and the explicit directional embeddings, overrides and isolates.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
#: The same in UTF-8 or as a JSON escape: what a body must hold before it is worth looking at its texts one by one.
MAYBE_UNWANTED = re.compile(
    rb"\\u|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]"
)


def is_plain(text: str) -> bool:
    return _UNWANTED.search(text) is None


def plain(text: str) -> str:
    """``text`` without control characters."""
    return _UNWANTED.sub("", text)


def composed(text: str) -> str:
    """``text`` in the spelling in which names are kept and compared (NFC, Unicode Standard Annex 15)."""
    return unicodedata.normalize("NFC", text)


def is_seen(text: str) -> bool:
    """Whether anything of ``text`` shows: not only spaces, joiners, marks of direction and the like."""
    return any(unicodedata.category(letter) not in {"Zs", "Zl", "Zp", "Cc", "Cf"} for letter in text)


def plain_values(value: Any, name: str = "") -> Any:
    """The same for every text in JSON data. Passwords stay as they were typed."""
    if isinstance(value, str):
        return value if "password" in name else plain(value)
    if isinstance(value, dict):
        return {key: plain_values(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain_values(inner, name) for inner in value]
    return value


def isolated(text: str) -> str:
    """``text`` for the middle of a sentence: between FIRST STRONG ISOLATE and its end if it has right-to-left letters."""
    if any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in text):
        return f"\u2068{text}\u2069"
    return text
