"""The frame of a table whose rows become cards on a narrow screen (``.stacks`` in the style sheet).

Roles are written out because a table that is not displayed as one loses them.
"""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_block_tag
def stacks(content: SafeString, *heads: str, numbers: int = 0, unseen: str = "") -> SafeString:
    """The rows between ``{% stacks … %}`` and ``{% endstacks %}``, under heads.

    In the rows, each cell says its role, and ``data-head`` where its head is needed on a narrow screen.

    Args:
        heads: the columns' names, as text.
        numbers: how many of these, the last ones, are columns of numbers.
        unseen: name of one more column, of buttons, for screen readers only.
    """
    first_number = len(heads) - numbers
    cells = [
        format_html(
            '<th scope="col" role="columnheader"{}>{}</th>',
            SafeString(' class="num"') if place >= first_number else "",
            head,
        )
        for place, head in enumerate(heads)
    ]
    if unseen:
        cells.append(
            format_html('<th scope="col" role="columnheader"><span class="sr-only">{}</span></th>', unseen)
        )
    return format_html(
        '<div class="table-scroll">\n<table class="table stacks" role="table">\n'
        '<thead role="rowgroup">\n<tr role="row">\n{}\n</tr>\n</thead>\n<tbody role="rowgroup">\n{}\n</tbody>\n'
        "</table>\n</div>",
        format_html_join("\n", "{}", ([cell] for cell in cells)),
        content,
    )
