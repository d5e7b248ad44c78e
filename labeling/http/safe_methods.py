"""Addresses that are looked at and change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

View = TypeVar("View", bound=Callable[..., Any])


def only_looked_at(view: View) -> View:
    """GET and HEAD. Whoever comes with another method hears that (405), and nothing of a form's token (403)."""
    return csrf_exempt(require_safe(view))
