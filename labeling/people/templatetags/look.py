"""Small parts of the look that every page shares: a class's mark, and a date as people say it.

They live in the lowest room because every room's templates use them, and they know nothing of any room.
"""

from __future__ import annotations

import datetime
import re
from functools import cache

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from lucide.templatetags.lucide import lucide

from labeling.people.keys import USUAL
from labeling.text.plain import isolated

register = template.Library()

#: One outline a class, in a 16 × 16 box: told apart without colour, in the order of the Okabe-Ito colours.
SHAPES = (
    '<circle cx="8" cy="8" r="7"/>',
    '<path d="M8 1 15.5 14.5H.5Z"/>',
    '<rect x="1.5" y="1.5" width="13" height="13"/>',
    '<path d="M8 .5 15.5 8 8 15.5.5 8Z"/>',
    '<path d="M8 15 .5 1.5h15Z"/>',
    '<path d="M5.5 1h5v4.5H15v5h-4.5V15h-5v-4.5H1v-5h4.5Z"/>',
    '<path d="M4.2 1h7.6l3.7 7-3.7 7H4.2L.5 8Z"/>',
    '<path d="M8 .5 10 6h5.5L11 9.500l1.700 6L8 12l-4.700 3.500L5 9.500.5 6H6Z"/>',
)


@register.simple_tag
def class_mark(position: int) -> SafeString:
    """The shape and colour of the class at ``position`` (0 first), as inline SVG. Its name belongs beside it."""
    index = int(position) % len(SHAPES)
    return format_html(
        '<svg class="mark class-{}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{}</svg>',
        index,
        mark_safe(SHAPES[index]),  # noqa: S308  (a constant of this module)
    )


@register.simple_tag
def icon(name: str, words: str = "", *, size: int = 16, css: str = "") -> SafeString:
    """An icon of lucide, ``size`` px wide, and the words beside it: itself it says nothing. hilltop.css draws its lines."""
    return format_html(
        '<svg class="icon{}" width="{}" height="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>{}{}',
        f" {css}" if css else "",
        size,
        size,
        _lines(name + ""),
        " " if words else "",
        words,
    )


@cache
def _lines(name: str) -> SafeString:
    drawn = lucide(name)
    return mark_safe("".join(re.findall(r"<(?!/?svg)[^>]+>", drawn)))  # noqa: S308  (the library's own drawings)


@register.simple_tag(takes_context=True)
def keycap(context: template.Context, action: str, number: object = "") -> str:
    """The key for what it does (:mod:`labeling.people.keys`), as printed: the page's ``own_keys``, or the usual one."""
    keys: dict[str, str] = context.get("own_keys") or USUAL
    return keys[f"{action}{number}"].upper()


@register.simple_tag(takes_context=True)
def key(context: template.Context, action: str, number: object = "") -> SafeString:
    """:func:`keycap` as a cap."""
    return format_html("<kbd>{}</kbd>", keycap(context, action, number).replace("-", "−"))


_LIST_SIGNS = ("- ", "* ", "• ", "· ", "– ")


@register.filter
def criteria(text: str) -> SafeString:
    """Criteria as people write them: a paragraph a line, and lines that begin with “- ” or “• ” as a list."""
    blocks: list[SafeString] = []
    points: list[str] = []

    def end_list() -> None:
        if points:
            items = format_html_join("", '<li dir="auto">{}</li>', ((point,) for point in points))
            blocks.append(format_html('<ul class="points">{}</ul>', items))
            points.clear()

    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith(_LIST_SIGNS):
            points.append(line[2:].strip())
        else:
            end_list()
            blocks.append(format_html('<p dir="auto">{}</p>', line))
    end_list()
    return format_html_join("", "{}", ((block,) for block in blocks))


@register.filter
def bdi(text: object) -> SafeString:
    """Text that people typed, isolated from ours, whatever its direction. For HTML; in attributes use ``isolate``."""
    return format_html("<bdi>{}</bdi>", text)


@register.filter
def isolate(text: object) -> str:
    """The same for an attribute, where no element can stand."""
    return isolated(str(text))


@register.simple_tag
def when(at: datetime.datetime | None) -> SafeString | str:
    """A moment as people say it ("3 minutes ago"), with the exact one on hover; an en dash for ``None``."""
    if at is None:
        return "–"
    local = timezone.localtime(at)
    return format_html(
        '<time class="nowrap" datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, _("j M Y, H:i")),
        naturaltime(at),
    )
