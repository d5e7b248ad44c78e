"""What somebody changed, in the words and the units of the form in which it was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.forms.projects import SettingsForm
from labeling.frontier.models import Mode
from labeling.plain_text import isolated

#: Label and scale: the form shows a share as so many per cent. The forms take their labels from here.
POLICY: dict[str, tuple[Any, float]] = {
    "mode": (gettext_lazy("Decision mode"), 1),
    "precision": (gettext_lazy("Target precision, in %"), 100),
    "delta": (gettext_lazy("δ: chance of a wrong certificate, in %"), 100),
    "audit_share": (gettext_lazy("Audit rate of decisions, in %"), 100),
    "planned_labels": (gettext_lazy("Planned random labels"), 1),
    "undecided_are_errors": (
        gettext_lazy("A photo that people hold or call unusable counts against the machine"),
        1,
    ),
}
THRESHOLDS: dict[str, tuple[Any, float]] = {
    "drift_level": (gettext_lazy("Drift: false alarm rate, in %"), 100),
    "window": (gettext_lazy("Comparison window, in photos"), 1),
    "calibration": (gettext_lazy("Calibration error allowed, in %"), 100),
    "agreement": (gettext_lazy("Agreement wanted, in % of photos"), 100),
    "speed": (gettext_lazy("Speed: factor faster or slower"), 1),
    "queue_days": (gettext_lazy("Oldest waiting photo, in days"), 1),
}

Changes = Mapping[str, Sequence[Any]]


def labels(words: Mapping[str, tuple[Any, float]]) -> dict[str, Any]:
    """Field name -> its label, for a form."""
    return {name: label for name, (label, _scale) in words.items()}


def of_settings(changes: Changes) -> str:
    """ "Answers a photo: 2 → 3; The checklist must be ticked: no → yes"; a setting that is no more keeps its name."""
    fields = SettingsForm.base_fields
    return _joined(
        (_without_colon(fields[name].label), _setting(fields[name], old), _setting(fields[name], new))
        if name in fields
        else (name.replace("_", " "), _plain(old), _plain(new))
        for name, (old, new) in sorted(changes.items())
    )


def of_policy(changes: Changes) -> str:
    return _by(POLICY, changes)


def of_thresholds(changes: Changes) -> str:
    return _by(THRESHOLDS, changes)


def _by(words: Mapping[str, tuple[Any, float]], changes: Changes) -> str:
    rows = []
    for name, (old, new) in sorted(changes.items()):
        label, scale = words.get(name, (name.replace("_", " "), 1))
        rows.append((_without_colon(label), _plain(old, scale), _plain(new, scale)))
    return _joined(rows)


def _joined(rows: Any) -> str:
    return "; ".join(f"{label}: {old} → {new}" for label, old, new in rows)


def _without_colon(label: Any) -> str:
    """A label that has a colon itself reads as two in a list of changes."""
    return str(label).replace(": ", ", ", 1)


def _setting(field: forms.Field, value: Any) -> str:
    for key, label in getattr(field, "choices", ()):
        if key == value:
            return _without_colon(label)
    return _plain(value)


def _plain(value: Any, scale: float = 1) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, int | float):
        return f"{scale * value:.10g}"
    if value in Mode.values:
        return str(Mode(value).label)
    return isolated(value) if value else "–"
