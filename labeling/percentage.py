"""A share in per cent, with the space before the sign that its language has: 82 % in English, 82% in Korean."""

from __future__ import annotations

from django.utils.translation import gettext as _


def percentage(share: float, form: str = ".0f") -> str:
    """0.824 as "82 %"; ``form`` says how many digits."""
    return _("%(n)s %%") % {"n": format(100 * share, form)}
