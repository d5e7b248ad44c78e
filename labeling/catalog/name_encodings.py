"""Names of files that came as bytes without a word of how they are meant: old zip programs and old disks write such.

What fits is found by how the letters would look, over all names of a delivery together. For a handful of short names
this is better than a general detector, which wants text: it weighs what names on photos are made of. Where two readings
look alike the first is taken and said to be a guess; people see it with an example of each other one, and choose.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from labeling.text.plain import composed, plain

#: Python's codec -> for people.
ENCODINGS: dict[str, str | Promise] = {
    "utf-8": gettext_lazy("Unicode (UTF-8)"),
    "cp949": gettext_lazy("Korean (CP949)"),
    "cp932": gettext_lazy("Japanese (Shift-JIS)"),
    "cp850": gettext_lazy("Western Europe (CP850, zip on Windows)"),
    "cp437": gettext_lazy("American (CP437, zip on Windows and DOS)"),
    "cp1252": gettext_lazy("Western Europe (Windows-1252)"),
    "gb18030": gettext_lazy("Simplified Chinese (GB 18030)"),
    "big5": gettext_lazy("Traditional Chinese (Big5)"),
    "euc_jp": gettext_lazy("Japanese (EUC-JP)"),
    "mac_roman": gettext_lazy("Western Europe (Mac OS Roman)"),
    "cp866": gettext_lazy("Cyrillic (CP866, zip on Windows)"),
    "cp1251": gettext_lazy("Cyrillic (Windows-1251)"),
    "koi8_r": gettext_lazy("Cyrillic (KOI8-R)"),
    "cp852": gettext_lazy("Central Europe (CP852, zip on Windows)"),
    "cp1250": gettext_lazy("Central Europe (Windows-1250)"),
}
LONGEST_NAME = 400
#: A reading is no guess whose letters look this plausible on the whole, and which has the better of each other reading
#: by about one clear letter.
_PLAUSIBLE, _AHEAD = 0.6, 0.75
#: So many names are looked at; more would tell nothing new.
_LOOKED_AT = 2000


@dataclass(frozen=True, slots=True)
class Reading:
    """How names are read. ``guessed``: another reading would look as good."""

    encoding: str
    guessed: bool


def reading_of(names: Iterable[str | bytes], encoding: str = "") -> Reading | None:
    """How those of these names that are bytes are best read together; ``None`` where all are text, or plain ASCII.

    ``encoding``: where somebody knows it.
    """
    bare = (name for name in names if isinstance(name, bytes) and not name.isascii())
    telling = list(islice(bare, _LOOKED_AT))
    if not telling or encoding:
        return Reading(encoding, guessed=False) if telling else None
    letters = sum(byte > 127 for name in telling for byte in name)
    scores = {encoding: _score(telling, encoding) for encoding in _LOOKS}
    best = max(scores, key=lambda encoding: scores[encoding])
    shown = [read(name, best) for name in telling]
    rivals = [
        score
        for encoding, score in scores.items()
        if encoding != best and [read(name, encoding) for name in telling] != shown
    ]
    ahead = (scores[best] - max(rivals, default=0.0)) * letters
    return Reading(best, guessed=scores[best] < _PLAUSIBLE or ahead < _AHEAD)


def read(name: str | bytes, encoding: str) -> str:
    """``name`` as text, if it is none yet; what the encoding does not know is marked by U+FFFD."""
    return name if isinstance(name, str) else name.decode(encoding, errors="replace")


def leads_out(name: str) -> bool:
    """Whether a path leads out of what it came in: it begins at the root of a disk, or goes up."""
    path = name.replace("\\", "/")
    return path.startswith("/") or path[1:3] == ":/" or ".." in path.split("/")


def kept_path(name: str) -> str:
    """As :func:`kept`, for a name with folders, whatever separates them."""
    if leads_out(name):
        return kept(name)
    return kept("/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".")))


def kept(name: str) -> str:
    """A file's name as it is kept and compared: composed (NFC), without what cannot be stored or shown, its end if long."""
    whole = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in name)
    return composed(" ".join(plain(whole).splitlines()).replace("\t", " "))[-LONGEST_NAME:]


def _score(names: Sequence[bytes], encoding: str) -> float:
    """How plausible the letters beyond ASCII look in this encoding: 0 to 1. A name that is none in it counts as nothing."""
    looks = _LOOKS[encoding]
    total = found = 0.0
    for name in names:
        try:
            text = name.decode(encoding)
        except UnicodeDecodeError:
            total += sum(byte > 127 for byte in name)
            continue
        for before, letter, after in zip(" " + text, text, text[1:] + " ", strict=False):
            if letter > "\x7f":
                total += 1
                found += looks(before, letter, after)
    return found / total


def _unicode(_before: str, letter: str, _after: str) -> float:
    # Text in another encoding is hardly ever valid UTF-8; and where it is, of letters that hardly anybody writes.
    return 0.5 if "\u0180" <= letter <= "\u02ff" or "\u0370" <= letter <= "\u0385" else 1.0


def _korean(before: str, letter: str, after: str) -> float:
    if "가" <= letter <= "힣":
        # KS X 1001 has the syllables that Korean uses; the thousands of others that CP949 adds have a byte below 0xA1.
        return _glued(before, after, 1.0) if min(letter.encode("cp949")) >= 0xA1 else 0.15
    return 0.1 if unicodedata.category(letter) == "Lo" else _sign(letter)


def _japanese(codec: str, common: bytes, kanji: float) -> Callable[[str, str, str], float]:
    """``common``: JIS level 1 ends before it in this codec."""

    def looks(before: str, letter: str, after: str) -> float:
        # Half-width katakana: any high byte would be one, so no single one counts.
        if "\uff66" <= letter <= "\uff9f":
            return 0.75 if "\uff66" <= before <= "\uff9f" or "\uff66" <= after <= "\uff9f" else 0.05
        if "\uff61" <= letter <= "\uff65":
            return 0.05
        if "ぁ" <= letter <= "ヿ":
            return 1.0
        if "\u4e00" <= letter <= "\u9fff":
            return _glued(before, after, kanji if letter.encode(codec) < common else 0.4)
        return _sign(letter)

    return looks


def _chinese(codec: str, common: bytes, rare: bytes) -> Callable[[str, str, str], float]:
    """``common`` to ``rare``: the level of characters in everyday use, in this codec; no byte of it is below its last."""

    def looks(before: str, letter: str, after: str) -> float:
        if "\u4e00" <= letter <= "\u9fff":
            code = letter.encode(codec)
            return _glued(before, after, 0.9 if common <= code < rare and min(code) >= common[-1] else 0.3)
        return 0.2 if "ぁ" <= letter <= "ヿ" else _sign(letter)

    return looks


def _glued(before: str, after: str, look: float) -> float:
    """East Asian letters within Latin words are hardly ever meant."""
    latin = before.isascii() and before.isalpha()
    return look / 2 if latin and (before.islower() or after.isascii()) else look


def _sign(letter: str) -> float:
    return 0.8 if "\u3000" <= letter <= "\u303f" or "\uff00" <= letter <= "\uff60" else 0.4


_WESTERN_OFTEN = frozenset("äöüßéèàçêâîôûñáíóúåøæãÄÖÜÅØ")


def _western(before: str, letter: str, after: str) -> float:
    if not unicodedata.name(letter, "").startswith("LATIN "):
        return 0.5 if letter in "–’“”°×·" else 0.05
    if letter.isupper() and before.islower():
        return 0.1
    look = 0.85 if letter in _WESTERN_OFTEN else 0.5
    # Letters with accents stand among plain ones.
    beside = sum(each > "\x7f" and each != "ß" for each in (before, after)) if letter != "ß" else 0
    return look * (1, 0.75, 0.2)[beside]


def _cyrillic(before: str, letter: str, after: str) -> float:
    if not ("А" <= letter <= "я" or letter in "Ёё"):
        return 0.3 if letter in "№" else 0.05
    if any(each.isascii() and each.isalpha() for each in (before, after)):
        return 0.1
    if letter.isupper():
        return 0.1 if before.islower() else 0.5 if before.isupper() else 0.75
    return 0.75


#: Those that are told apart by themselves, the more usual first; the others people choose.
_LOOKS: dict[str, Callable[[str, str, str], float]] = {
    "utf-8": _unicode,
    "cp949": _korean,
    "cp932": _japanese("cp932", b"\x98\x9f", 0.95),
    "gb18030": _chinese("gb18030", b"\xb0\xa1", b"\xd8"),
    "big5": _chinese("big5", b"\xa4\x40", b"\xc9"),
    "euc_jp": _japanese("euc_jp", b"\xd0", 0.85),
    "cp850": _western,
    "cp437": _western,
    "cp1252": _western,
    "mac_roman": _western,
    "cp866": _cyrillic,
    "cp1251": _cyrillic,
}
