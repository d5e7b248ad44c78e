"""``{% csrf_token %}`` for all templates, built in: it says in every form for whom the page was made, too."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString

from labeling.people.whose_page import FIELD, mark

register = template.Library()


class _MarkedTokenNode(CsrfTokenNode):
    def render(self, context: template.Context) -> SafeString:
        token: SafeString = super().render(context)  # type: ignore[assignment]  # HTML, or nothing
        request: Any = context.get("request")
        if not token or request is None:
            return token
        return format_html('{}<input type="hidden" name="{}" value="{}">', token, FIELD, mark(request))


@register.tag
def csrf_token(parser: template.base.Parser, token: template.base.Token) -> template.Node:
    return _MarkedTokenNode()
