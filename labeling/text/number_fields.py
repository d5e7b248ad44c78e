"""Numbers in forms: read as people type them (:mod:`labeling.text.typed_numbers`), shown and refused in one unit.

What a number means is not known here, nor how large it may be: its limits stand on the model.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy

from labeling.text.typed_numbers import real, whole


def plain(number: float) -> str:
    """Without an exponent, and without what is noise in a product of two floats: 0.0001, 1000000, 99.9."""
    return f"{number:.8f}".rstrip("0").rstrip(".")


def limits(model: type[models.Model], name: str) -> dict[str, float]:
    """``min_value`` and ``max_value``, where the validators of a model's field say them."""
    validators = getattr(model._meta.get_field(name), "validators", [])
    lows = [each.limit_value for each in validators if isinstance(each, MinValueValidator)]
    highs = [each.limit_value for each in validators if isinstance(each, MaxValueValidator)]
    return ({"min_value": max(lows)} if lows else {}) | ({"max_value": min(highs)} if highs else {})


def from_model(field: models.Field[Any, Any], **kwargs: Any) -> forms.Field | None:
    """A ``formfield_callback``: what a :class:`NumberField` may hold is read from the model's validators."""
    if issubclass(kwargs.get("form_class", object), NumberField):
        kwargs |= limits(field.model, field.name)
    # A model's own help texts are for who reads the code and the API.
    return field.formfield(**{"help_text": "", **kwargs})


class NumberField(forms.Field):
    """The form shows and reads ``scale`` times the number."""

    widget = forms.TextInput
    inputmode: ClassVar[str] = "decimal"
    scale: ClassVar[int] = 1

    def __init__(self, *, min_value: float = -math.inf, max_value: float = math.inf, **kwargs: Any) -> None:
        self.low, self.high = min_value, max_value
        super().__init__(**kwargs)
        self.error_messages["required"] = self.error_messages["invalid"]

    def read(self, text: str) -> float | None:
        """The number in ``text``, in the unit of the form; ``None`` where there is none."""
        raise NotImplementedError

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": self.inputmode, "size": 8}

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else plain(self.scale * value)

    def to_python(self, value: Any) -> float | None:
        if value in self.empty_values:
            return None
        number = self.read(str(value))
        if number is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return number

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and not self.low <= value <= self.high:
            ends = {"low": plain(self.scale * self.low), "high": plain(self.scale * self.high)}
            raise ValidationError(self.error_messages["limits"], code="limits", params=ends)

    def has_changed(self, initial: Any, data: Any) -> bool:
        # What is shown has fewer decimals than what may be kept; sent back as it was shown, it is no change.
        shown = self.prepare_value(initial)
        return super().has_changed(None if shown is None else self.to_python(shown), data)


class RealField(NumberField):
    """A finite number, kept to eight decimals."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": gettext_lazy("A number."),
        "limits": gettext_lazy("From %(low)s to %(high)s."),
    }

    def read(self, text: str) -> float | None:
        typed = real(text)
        return None if typed is None else round(typed / self.scale, 8)


class PercentField(RealField):
    """A share, shown and read as so many per cent: "2" is .02."""

    scale = 100
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": gettext_lazy("A number of per cent."),
        "limits": gettext_lazy("From %(low)s to %(high)s\u00a0%%."),
    }


class WholeField(NumberField):
    inputmode = "numeric"
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": gettext_lazy("A whole number."),
        "limits": gettext_lazy("From %(low)s to %(high)s."),
    }

    def read(self, text: str) -> float | None:
        return whole(text)
