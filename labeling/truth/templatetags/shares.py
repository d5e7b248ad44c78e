"""Figures as people read them: a share with its interval, a plain percentage, a step for an SVG heat cell."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from labeling.text.percentage import percentage
from labeling.truth.estimates import Proportion

register = template.Library()


@register.filter
def decimals(value: Any) -> str:
    """.82, 1.00, −.10; an en dash for None."""
    if value is None:
        return "–"
    text = f"{float(value):.2f}"
    return text.replace("-0.", "−.").replace("-", "−") if float(value) < 0 else text.removeprefix("0")


@register.filter
def percent(value: Any) -> str:
    """82 %; an en dash for None."""
    return "–" if value is None else percentage(float(value))


@register.simple_tag
def proportion(value: Proportion) -> SafeString | str:
    """.82 ± .07 with the counts and the exact interval on hover. The half-width is half of Wilson's interval."""
    if value.share is None:
        return "–"
    said = _("%(part)d of %(whole)d; 95\u00a0%% interval %(low)s to %(high)s") % {
        "part": value.part,
        "whole": value.whole,
        "low": decimals(value.low),
        "high": decimals(value.high),
    }
    return format_html(
        '<span class="num nowrap" title="{}">{} <span class="muted">± {}</span><span class="sr-only"> ({})</span></span>',
        said,
        decimals(value.share),
        decimals((value.high - value.low) / 2),
        said,
    )


@register.filter
def heat(value: Any) -> int:
    """0 to 10: which step of the heat scale a probability has."""
    return max(0, min(10, round(float(value) * 10)))


@register.filter
def get(mapping: Any, key: str) -> Any:
    """``mapping[key]``, or an empty string."""
    return mapping.get(key, "") if mapping else ""
