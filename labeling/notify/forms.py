"""What an admin says of a webhook. The rules are the service's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.notify.kinds import CHOICES


class EndpointForm(forms.Form):
    url = forms.CharField(
        max_length=1000,
        label=_("Address"),
        help_text=_(
            "Of a program (https://example.com/hooks), a mailbox (quality@example.com: one mail in 15 minutes at most) or a "
            "channel of Slack that the app was invited to (#quality). Programs inside this network are not reached."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )
    name = forms.CharField(max_length=80, required=False, label=_("Name"), help_text=_("For this page."))
    events = forms.MultipleChoiceField(
        label=_("Events"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind of event.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["events"].choices = [(name, kind.title) for name, kind in CHOICES.items()]  # type: ignore[attr-defined]
