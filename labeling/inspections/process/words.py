"""Figures of the process as people say them."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.photos import ADVICE
from labeling.inspections.models import Fault

#: Why a check has no answer yet, as a verdict keeps it.
_WHY = {
    "open": gettext_lazy("nobody has answered yet"),
    "dispute": gettext_lazy("a reviewer is to rule"),
    "hold": gettext_lazy("people could not tell"),
    "unusable": gettext_lazy("people called the photo unusable"),
    "no_photo": gettext_lazy("photo is missing"),
    "gone": gettext_lazy("the photo was erased"),
    "no_class": gettext_lazy("answered with a class that is asked no more"),
    "no_rule": gettext_lazy("all is known, and no rule decides it"),
    "overruled": gettext_lazy("a person holds it"),
    "": gettext_lazy("photo is missing"),
    "not_asked": gettext_lazy("the version it was photographed by does not ask it"),
}


def took(minutes: float | None) -> str:
    """A length of time in the unit that it is told in; an en dash for ``None``."""
    if minutes is None:
        return "–"
    if minutes < 1:
        return _("%(n)s\u00a0s") % {"n": number_format(60 * minutes, 0)}
    if minutes < 120:
        return _("%(n)s\u00a0min") % {"n": number_format(minutes, 0 if minutes >= 10 else 1)}
    if minutes < 48 * 60:
        return _("%(n)s\u00a0h") % {"n": number_format(minutes / 60, 1)}
    return _("%(n)s\u00a0days") % {"n": number_format(minutes / 1440, 1)}


def why(code: str) -> str:
    return str(_WHY.get(code, code))


def fault(code: str) -> str:
    """What was wrong with a photo, in a few words."""
    if code in Fault.values:
        return str(Fault(code).label)
    return str(_("Cannot be used")) if code in ADVICE else code
