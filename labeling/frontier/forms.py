"""What an admin types to say what must be proven, and what the machine may do with it. The rules are the services'."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from labeling.catalog.forms.versions import VersionForm
from labeling.frontier.models import FrontierPolicy, Mode, PromiseKind
from labeling.frontier.policy import FIELDS
from labeling.text.number_fields import PercentField, WholeField


class PolicyForm(VersionForm):
    field_order = ("mode", "promise", "precision", "floor", "delta", "audit_share", "planned_labels")
    MEANINGS: ClassVar[dict[str, Any]] = {
        Mode.OFF: gettext_lazy("People decide every photo."),
        Mode.SHADOW: gettext_lazy("People decide every photo; what the machine would have said is compared."),
        Mode.ON: gettext_lazy(
            "The machine decides what lies inside the frontier; people audit a random share."
        ),
        PromiseKind.ALONE: gettext_lazy(
            "What the machine decides is right as often as is promised. All else gets strict labels."
        ),
        PromiseKind.ASSISTED: gettext_lazy(
            "Besides, where it is proven, one blind answer that says what the machine says settles a photo; such labels are "
            "right as often by themselves. Any other answer gets a second person and the review, as today."
        ),
        PromiseKind.DELIVERED: gettext_lazy(
            "All labels together are right as often as is promised: the machine's, those settled by one answer that agrees "
            "with it, and strict ones. What the machine decides has a floor of its own. Least work, and less is said of "
            "each single label."
        ),
    }

    class Meta(VersionForm.Meta):
        model = FrontierPolicy
        fields = (*FIELDS, "reason")
        field_classes = {
            "precision": PercentField,
            "floor": PercentField,
            "delta": PercentField,
            "audit_share": PercentField,
            "planned_labels": WholeField,
        }
        widgets = {"mode": forms.RadioSelect, "promise": forms.RadioSelect}
        labels = VersionForm.Meta.labels | {
            "mode": gettext_lazy("Decision mode"),
            "promise": gettext_lazy("What is promised"),
            "floor": gettext_lazy("Of a delivered set, floor under what the machine decides, in %"),
            "precision": gettext_lazy("Target precision, in %"),
            "delta": gettext_lazy("δ: chance of a wrong certificate, in %"),
            "audit_share": gettext_lazy("Audit rate of decisions, in %"),
            "planned_labels": gettext_lazy("Planned random labels"),
            "undecided_are_errors": gettext_lazy(
                "A photo that people hold or call unusable counts against the machine"
            ),
        }
        help_texts = {
            "reason": gettext_lazy("Kept with the change; needed to switch on."),
            "audit_share": gettext_lazy("After the first ones, of which more are audited."),
        }

    def choices(self) -> list[tuple[forms.BoundField, list[tuple[Any, Any]]]]:
        """The fields of radio buttons, each button with what it means."""
        return [
            (self[name], [(radio, self.MEANINGS[radio.data["value"]]) for radio in self[name]])
            for name in ("mode", "promise")
        ]
