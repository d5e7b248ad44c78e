"""Settings of which every version is kept, as an admin types the next one.

Which settings those are, and what they may be, is not known here: the model says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext_lazy

from labeling.text.notes import TOO_LONG
from labeling.text.number_fields import NumberField, from_model

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:  # at run time the class takes no type argument
    _ModelForm = forms.ModelForm


class VersionForm(_ModelForm):
    """The version in force, to be changed, and why; ``reason`` is among the fields, and begins empty."""

    class Meta:
        formfield_callback = from_model
        labels = {"reason": gettext_lazy("Reason")}
        error_messages = {"reason": {"max_length": TOO_LONG}}

    def __init__(self, data: Any = None, *, in_force: Model) -> None:
        super().__init__(data, instance=in_force, initial={"reason": ""}, auto_id="%s")

    def numbers(self) -> list[forms.BoundField]:
        return [self[name] for name, field in self.fields.items() if isinstance(field, NumberField)]

    def changes(self) -> dict[str, Any]:
        """What differs from the version in force, as the services take it."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "reason"}
