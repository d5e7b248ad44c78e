"""How a page says that a service refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from labeling.refusals import Refused


@contextmanager
def refusals_said(request: HttpRequest) -> Iterator[None]:
    """What is refused in the block ends it, and is said on the page that this person sees next."""
    try:
        yield
    except Refused as refusal:
        messages.error(request, refusal.message)
