"""What somebody changed, in the words and the units of the form in which it was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from labeling.catalog.forms.projects import SettingsForm
from labeling.frontier.forms import PolicyForm
from labeling.monitors.forms import ThresholdsForm
from labeling.text.number_fields import NumberField
from labeling.text.plain import isolated

#: Field name -> what it was and what it became.
Changes = Mapping[str, Sequence[Any]]


def of_settings(changes: Changes) -> str:
    """ "Answers a photo: 2 → 3; The checklist must be ticked: no → yes"."""
    return _in_words_of(SettingsForm, changes)


def of_policy(changes: Changes) -> str:
    """ "Decision mode: Off → On; Target precision, in %: 98 → 95.5"."""
    return _in_words_of(PolicyForm, changes)


def of_thresholds(changes: Changes) -> str:
    return _in_words_of(ThresholdsForm, changes)


def _in_words_of(form: type[forms.ModelForm[Any]], changes: Changes) -> str:
    """A setting that the form has no field of is called as the model calls it; one that is no more keeps its name."""
    settings = {field.name: field.verbose_name for field in form._meta.model._meta.concrete_fields}
    said = []
    for name, (old, new) in sorted(changes.items()):
        field = form.base_fields.get(name)
        label = _without_colon(field.label if field else settings.get(name, name.replace("_", " ")))
        said.append(f"{label}: {_said(field, old)} → {_said(field, new)}")
    return "; ".join(said)


def _without_colon(label: Any) -> str:
    """A label that has a colon itself reads as two in a list of changes."""
    return str(label).replace(": ", ", ", 1)


def _said(field: forms.Field | None, value: Any) -> str:
    for key, label in getattr(field, "choices", ()):
        if key == value:
            return _without_colon(label)
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(field, NumberField):
        return str(field.prepare_value(value))
    if isinstance(value, int | float):
        return f"{value:.10g}"
    if isinstance(value, list):
        value = ", ".join(value)
    return isolated(value) if value else "–"
