"""How many alerts of a project's monitors are open, for links that lead to them."""

from __future__ import annotations

from django import template

from labeling.catalog.models import Project
from labeling.monitors.selectors import open_alerts as count

register = template.Library()


@register.simple_tag
def open_alerts(project: Project) -> int:
    return count(project)
