"""How a page says that a service refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest

from labeling.refusals import Refused


@contextmanager
def refusals_said(request: HttpRequest) -> Iterator[None]:
    """What is refused in the block ends it, and is said on the page that this person sees next."""
    try:
        yield
    except Refused as refusal:
        messages.error(request, refusal.message)


@contextmanager
def refusals_beside(form: BaseForm) -> Iterator[None]:
    """What is refused in the block ends it, and is said beside the fields of the form that it is about."""
    try:
        yield
    except Refused as refusal:
        show_refusal(form, refusal)


def show_refusal(form: BaseForm, refusal: Refused) -> None:
    """Put the refusal's messages beside the fields that they are about, else above the form."""
    placed = False
    for name, message in refusal.fields.items():
        if name in form.fields:
            form.add_error(name, message)
            placed = True
    if not placed:
        form.add_error(None, refusal.message)
