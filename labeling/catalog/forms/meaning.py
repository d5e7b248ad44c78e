"""What every form that amends the guideline asks: whether answers mean something else now. Its two buttons answer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

SAME, CHANGED, PROPOSED = "same", "changed", "proposed"


class SaysMeaning(forms.Form):
    """A form whose buttons are those of ``catalog/_publish.html``. Nothing is assumed where neither was pressed."""

    meaning = forms.ChoiceField(
        choices=[(each, each) for each in (SAME, CHANGED, PROPOSED)],
        widget=forms.HiddenInput,
        error_messages={
            "required": gettext_lazy(
                "Say whether answers mean something else now: press one of the two buttons."
            )
        },
    )

    @property
    def proposes(self) -> bool:
        """Whether an admin is to agree first."""
        return bool(self.cleaned_data["meaning"] == PROPOSED)

    def said(self) -> dict[str, Any]:
        """As :func:`~labeling.catalog.services.amend_guideline` takes it."""
        return {"wording_only": self.cleaned_data["meaning"] == SAME}
