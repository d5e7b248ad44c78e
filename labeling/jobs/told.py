"""What went wrong, in the reader's language.

A worker does not know who will read, so an error is kept in English and translated where it is shown, as progress is. One
that speaks of a number or a name is found again by its pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import gettext, gettext_noop

FULL = gettext_noop(
    "The server's disk is full. What was done so far is kept. Make room on the disk (or ask your administrator), then start "
    "the job again."
)
UNEXPECTED = gettext_noop(
    "Something unexpected went wrong (%(error)s). What was done so far is kept; start the job again, and tell your "
    "administrator if it fails again."
)
CRASHED = gettext_noop(
    "The job's worker ended %(times)s times in the midst of it, or lost the database or the store, perhaps for want of "
    "memory. Look at the worker's log, then start the job again."
)
UNKNOWN = gettext_noop("No worker knows jobs of kind “%(kind)s”. Update the workers, then start it again.")

_PATTERNS: dict[str, re.Pattern[str]] = {}
_PLACE = re.compile(r"%\((\w+)\)s")


def know(texts: Iterable[str]) -> None:
    """Errors with ``%(name)s`` in them, marked for translation, which :func:`told` is to find again."""
    for text in texts:
        *parts, last = _PLACE.split(text)
        named = zip(parts[::2], parts[1::2], strict=True)
        pattern = "".join(f"{re.escape(before)}(?P<{name}>.+)" for before, name in named)
        _PATTERNS[text] = re.compile(pattern + re.escape(last), re.DOTALL)


know([UNEXPECTED, CRASHED, UNKNOWN])


def told(error: str) -> str:
    for text, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(error):
            return gettext(text) % match.groupdict()
    return gettext(error) if error else ""
