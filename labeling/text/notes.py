"""What people write beside their decisions is kept as they wrote it: whole, or it is refused."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from labeling.refusals import Refused

#: Characters; the columns hold no more.
LONGEST = 300
#: The names are those of Django's ``MaxLengthValidator``, so that a form can say it too.
TOO_LONG = gettext_lazy(
    "These are %(show_value)d characters, and %(limit_value)d can be kept. Say it in fewer."
)


def kept_whole(text: str, *, field: str, longest: int = LONGEST) -> str:
    """``text`` without blanks around it. Raises :class:`Refused` ``invalid`` (422) where it is longer than the column."""
    words = text.strip()
    if len(words) > longest:
        raise Refused.invalid(field, TOO_LONG % {"show_value": len(words), "limit_value": longest})
    return words
