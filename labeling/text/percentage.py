"""Per cent, with the space before the sign that its language has, which never breaks: 82 % in English, 82% in Korean."""

from __future__ import annotations

from django.utils.translation import gettext as _


def percentage(share: float, form: str = ".0f") -> str:
    """0.824 as "82 %"; ``form`` says how many digits."""
    return with_sign(format(100 * share, form))


def with_sign(number: str) -> str:
    """The sign behind a number that is so many per cent: "82" as "82 %"."""
    return _("%(n)s\u00a0%%") % {"n": number}
