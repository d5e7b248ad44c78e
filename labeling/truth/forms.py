"""What the review and labelers pages accept, checked before a service is asked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.catalog.forms.meaning import SaysMeaning
from labeling.catalog.guidelines import LONGEST_CRITERIA
from labeling.catalog.models import Guideline, LabelClass
from labeling.text.lengths import longest
from labeling.truth.models import HoldReason, Outcome, Ruling, UnusableReason
from labeling.truth.selectors import DisputeDetail


class RulingForm(forms.Form):
    """One ruling: ``class:<key>``, ``hold``, ``unusable`` or ``send_back``, as the pressed button says.

    The reason is the one that belongs to the outcome; one key press takes what labelers said most.
    """

    ruling = forms.RegexField(
        r"^(class:[a-z0-9_-]+|hold|unusable|send_back)$",
        error_messages={"required": _("Choose a ruling."), "invalid": _("There is no such ruling.")},
    )
    hold_reason = forms.ChoiceField(required=False, choices=HoldReason.choices)
    unusable_reason = forms.ChoiceField(required=False, choices=UnusableReason.choices)
    comment = forms.CharField(required=False, max_length=longest(Ruling, "comment"))
    note = forms.CharField(required=False, max_length=longest(Ruling, "note"))

    def ruled(self) -> dict[str, str]:
        """``outcome``, ``class_key``, ``reason``, ``comment`` and ``note`` as the service takes them."""
        outcome, _colon, class_key = self.cleaned_data["ruling"].partition(":")
        reason = ""
        if outcome == Outcome.HOLD:
            reason = self.cleaned_data["hold_reason"] or HoldReason.OTHER.value
        elif outcome == Outcome.UNUSABLE:
            reason = self.cleaned_data["unusable_reason"] or UnusableReason.OTHER.value
        return {
            "outcome": outcome,
            "class_key": class_key,
            "reason": reason,
            "comment": self.cleaned_data["comment"],
            "note": self.cleaned_data["note"],
        }


class AmendForm(SaysMeaning):
    """New criteria, class by class, on top of the version that the reviewer read."""

    base = forms.IntegerField(widget=forms.HiddenInput)
    note = forms.CharField(
        max_length=longest(Guideline, "note"),
        error_messages={"required": _("Say in a few words what changed and why: labelers will read it.")},
    )
    exemplar_for = forms.CharField(required=False, max_length=longest(LabelClass, "key"))

    def __init__(self, data: Any, *, detail: DisputeDetail) -> None:
        super().__init__(data)
        self.detail = detail
        for side in detail.sides:
            self.fields[f"criteria-{side.key}"] = forms.CharField(
                required=False, max_length=LONGEST_CRITERIA, initial=side.definition.criteria
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        keys = {side.key for side in self.detail.sides}
        if (wanted := cleaned.get("exemplar_for")) and wanted not in keys:
            self.add_error("exemplar_for", _("There is no such class now."))
        if not self.errors and not self.changed_criteria(cleaned) and not cleaned.get("exemplar_for"):
            self.add_error(
                None, _("Nothing changed. Edit the criteria of a class, or make the photo an exemplar.")
            )
        return cleaned

    def amendment(self) -> dict[str, Any]:
        """As :func:`~labeling.catalog.services.amend_guideline` takes it, or ``propose_guideline``."""
        given = self.cleaned_data
        key = given["exemplar_for"]
        return {
            "note": given["note"],
            "expected": given["base"],
            "criteria": self.changed_criteria(),
            "more_exemplars": {key: [self.detail.image.sha256]} if key else {},
            **({} if self.proposes else self.said()),
        }

    def changed_criteria(self, cleaned: dict[str, Any] | None = None) -> dict[str, str]:
        """Class key -> new criteria, for those that differ. A form that leaves a class out keeps it as it is."""
        cleaned = self.cleaned_data if cleaned is None else cleaned
        changed = {}
        for side in self.detail.sides:
            name = f"criteria-{side.key}"
            text = cleaned.get(name, "").replace("\r\n", "\n")
            if name in self.data and text != side.definition.criteria.strip().replace("\r\n", "\n"):
                changed[side.key] = text
        return changed


class GoldForm(forms.Form):
    sha256 = forms.RegexField(
        r"^[0-9a-f]{64}$", error_messages={"invalid": _("Choose a photo from the list.")}
    )
    class_key = forms.CharField(
        max_length=longest(LabelClass, "key"), error_messages={"required": _("Choose a class.")}
    )


def first_error(form: forms.BaseForm) -> str:
    """What is said of a form that shows its errors in one place."""
    return str(next(iter(form.errors.values()))[0])
