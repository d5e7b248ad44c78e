"""What is answered where a photo's file cannot be had."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog.references import NotThere
from labeling.jobs.told import told
from labeling.store.objects import StoreAway


def answer_to(error: OSError, *, names_place: bool = False) -> Exception:
    """To be raised. ``names_place``: to whoever may know where the photo lies; a folder may say what is on it."""
    if not isinstance(error, NotThere):
        return Http404(_("The photo's file is missing from the storage. Take the photo in again."))
    if error.code == "silent":
        return StoreAway(str(error))
    if names_place:
        return Http404(told(str(error)))
    return Http404(
        _("The photo stays elsewhere, and cannot be had from there. An admin sees why on the page Sources.")
    )
