"""What every form that amends the guideline asks: whether answers mean something else now. Its two buttons answer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

SAME, CHANGED = "same", "changed"


class SaysMeaning(forms.Form):
    """A form whose buttons are those of ``catalog/_publish.html``. Nothing is assumed where neither was pressed."""

    meaning = forms.ChoiceField(
        choices=[(SAME, SAME), (CHANGED, CHANGED)],
        widget=forms.HiddenInput,
        error_messages={
            "required": gettext_lazy(
                "Say whether answers mean something else now: press one of the two buttons."
            )
        },
    )

    def said(self) -> dict[str, Any]:
        """As :func:`~labeling.catalog.services.amend_guideline` takes it."""
        return {"wording_only": self.cleaned_data["meaning"] == SAME}
