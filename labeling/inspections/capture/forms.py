"""What a reviewer says of a link: of which asset, for which event, how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from labeling.inspections.models import Asset, CaptureLink
from labeling.text.lengths import longest

LASTS = [
    (1, gettext_lazy("1\u00a0hour")),
    (24, gettext_lazy("1\u00a0day")),
    (7 * 24, gettext_lazy("7\u00a0days")),
    (30 * 24, gettext_lazy("30\u00a0days")),
]


class LinkForm(forms.Form):
    identifier = forms.CharField(
        max_length=longest(Asset, "identifier"),
        label=gettext_lazy("Plate or number"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    type = forms.CharField(max_length=longest(Asset, "type"), required=False, label=gettext_lazy("Type"))
    event = forms.RegexField(
        r"^[a-z0-9_-]+$",
        max_length=longest(CaptureLink, "event"),
        label=gettext_lazy("Event"),
        initial="wash",
        help_text=gettext_lazy("Small letters, digits, - and _: wash, return, hand-over, maintenance"),
        widget=forms.TextInput(attrs={"list": "events", "autocomplete": "off"}),
    )
    site = forms.CharField(
        max_length=longest(CaptureLink, "site"), required=False, label=gettext_lazy("Site")
    )
    photographer = forms.CharField(
        max_length=longest(CaptureLink, "photographer"), required=False, label=gettext_lazy("Photographer")
    )
    lasts = forms.TypedChoiceField(choices=LASTS, coerce=int, initial=24, label=gettext_lazy("Lasts"))

    def asked(self) -> dict[str, Any]:
        names = ("identifier", "type", "event", "site", "photographer")
        until = timezone.now() + timedelta(hours=self.cleaned_data["lasts"])
        return {name: self.cleaned_data[name] for name in names} | {"expires_at": until}
