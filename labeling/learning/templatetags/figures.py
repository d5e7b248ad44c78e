"""Numbers as the pages show them: shares with their interval, durations, counts of seconds left."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()


@register.filter
def share(value: float | None) -> str:
    """0.8241 as ".82"; an en dash for ``None``."""
    return "–" if value is None else _point(f"{value:.2f}")


@register.filter
def signed(value: float | None) -> str:
    """-0.031 as "−.03" with a real minus; an en dash for ``None``."""
    if value is None:
        return "–"
    text = f"{abs(value):.2f}"
    sign = "" if float(text) == 0 else "+" if value > 0 else "−"
    return sign + _point(text)


@register.filter
def interval(figure: dict[str, Any] | None) -> SafeString | str:
    """{value, low, high} as ".82 ± .04", the exact 95 % interval on hover; an en dash for ``None``."""
    if not figure:
        return "–"
    half = (figure["high"] - figure["low"]) / 2
    return format_html(
        '<span class="nowrap" title="{}">{} <span class="muted">± {}</span></span>',
        _("95 %% interval: %(low)s to %(high)s")
        % {"low": share(figure["low"]), "high": share(figure["high"])},
        share(figure["value"]),
        share(half),
    )


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as people say them: "8 s", "3 min", "2 h"."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return _("%(n)d s") % {"n": max(1, round(seconds))}
    if seconds < 90 * 60:
        return ngettext("%(n)d min", "%(n)d min", round(seconds / 60)) % {"n": round(seconds / 60)}
    return _("%(n)d h") % {"n": round(seconds / 3600)}


def _point(text: str) -> str:
    return text[1:] if text.startswith("0.") else text
