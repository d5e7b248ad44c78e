"""Numbers as the pages show them: shares with their interval, durations, counts of seconds left."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.text.percentage import percentage

register = template.Library()


@register.filter
def share(value: float | None) -> str:
    """0.8241 as ".82"; an en dash for ``None``."""
    return "–" if value is None else _point(f"{value:.2f}")


@register.filter
def exact_share(value: float) -> str:
    """0.855 as ".855", 0.9 as ".90": all the digits that it has, two at least. For figures that people typed."""
    whole, _dot, digits = f"{value:.10f}".partition(".")
    return _point(f"{whole}.{digits.rstrip('0').ljust(2, '0')}")


@register.filter
def signed(value: float | None, digits: int = 2) -> str:
    """-0.031 as "−.03" with a real minus; an en dash for ``None``."""
    if value is None:
        return "–"
    text = f"{abs(value):.{digits}f}"
    sign = "" if float(text) == 0 else "+" if value > 0 else "−"
    return sign + _point(text)


@register.filter
def interval(figure: dict[str, Any] | None) -> SafeString | str:
    """{value, low, high} as ".82 ± .04" where both halves are the same, else as ".97 [.88, 1.00]"; "–" for ``None``.

    A share near 0 or 1 has an interval that is longer on one side: "±" would reach beyond what a share can be. One
    without length is no interval, and left out: no count of photos makes a figure certain.
    """
    if not figure:
        return "–"
    value, low, high = figure["value"], figure["low"], figure["high"]
    if low == high:
        return share(value)
    below, above = f"{value - low:.2f}", f"{high - value:.2f}"
    ends = {"low": share(low), "high": share(high)}
    if below == above and value - float(above) >= 0 and value + float(above) <= 1:
        told = f"± {_point(above)}"
    else:
        told = f"[{ends['low']}, {ends['high']}]"
    return format_html(
        '<span class="nowrap" title="{}">{} <span class="muted">{}</span></span>',
        _("95\u00a0%% interval: %(low)s to %(high)s") % ends,
        share(value),
        told,
    )


@register.filter
def percent(value: float | None) -> str:
    """0.8241 as "82 %"; an en dash for ``None``."""
    return "–" if value is None else percentage(value)


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as people say them: "8 s", "3 min", "2 h"."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return _("%(n)d\u00a0s") % {"n": max(1, round(seconds))}
    if seconds < 90 * 60:
        return ngettext("%(n)d\u00a0min", "%(n)d\u00a0min", round(seconds / 60)) % {"n": round(seconds / 60)}
    return _("%(n)d\u00a0h") % {"n": round(seconds / 3600)}


def _point(text: str) -> str:
    return text[1:] if text.startswith("0.") else text
