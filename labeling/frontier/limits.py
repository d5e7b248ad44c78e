"""Between which values a number may lie, said in the unit of the form that asks for it."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model
from django.utils.translation import gettext as _


def limits(model: type[Model], name: str, *, scale: float = 1) -> str:
    """ "From 50 to 99.9 %." for a share of which the form shows ``scale`` = 100 times the value."""
    field = model._meta.get_field(name)
    ends = {}
    for validator in getattr(field, "validators", ()):
        if isinstance(validator, MinValueValidator):
            ends["low"] = _plain(scale * validator.limit_value)
        elif isinstance(validator, MaxValueValidator):
            ends["high"] = _plain(scale * validator.limit_value)
    return (_("From %(low)s to %(high)s %%.") if scale == 100 else _("From %(low)s to %(high)s.")) % ends


def _plain(value: float) -> str:
    """Without an exponent: 0.0001, 1000000, 99.9."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
