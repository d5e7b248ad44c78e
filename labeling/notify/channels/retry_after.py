"""How long a receiver asks to be left alone (``Retry-After``, RFC 9110, 10.2.3)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from django.utils import timezone

#: Nobody is left alone for longer, whatever it asks for.
MOST_S = 3600.0


def seconds(header: str | None) -> float:
    """Of seconds, or a date; 0 where there is none, or none that can be read."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MOST_S)
    try:
        asked = (parsedate_to_datetime(text) - timezone.now()).total_seconds()
    except (TypeError, ValueError, OverflowError):  # TypeError: a date without a zone
        return 0.0
    return max(0.0, min(asked, MOST_S))
