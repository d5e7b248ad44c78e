"""The ladders that a page draws of the frontier picture, by what its reader looks for."""

from __future__ import annotations

from typing import Any

from django import template

from labeling.frontier.picture import Picture
from labeling.frontier.shown_ladders import ShownLadders, shown_ladders

register = template.Library()

#: Of the address: which classes are looked for.
FIND = "find"


@register.simple_tag(takes_context=True)
def ladders(context: dict[str, Any], picture: Picture) -> ShownLadders:
    """``{% ladders picture as shown %}``"""
    request = context.get("request")
    return shown_ladders(picture, request.GET.get(FIND, "") if request else "")
