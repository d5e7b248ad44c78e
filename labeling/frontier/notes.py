"""What people write beside their decisions is kept as they wrote it: whole, or it is refused."""

from __future__ import annotations

from django.utils.translation import gettext as _

from labeling.refusals import Refused

#: Characters; the columns hold no more.
LONGEST = 300


def kept_whole(text: str, *, field: str) -> str:
    """``text`` without blanks around it. Raises :class:`Refused` ``invalid`` (422) where it is too long to keep."""
    words = text.strip()
    if len(words) > LONGEST:
        message = _("These are %(n)d characters, and %(most)d can be kept. Say it in fewer.") % {
            "n": len(words),
            "most": LONGEST,
        }
        raise Refused.invalid(field, message)
    return words
