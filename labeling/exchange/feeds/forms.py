"""What an admin says of a table that a spreadsheet shall read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.exchange.feeds.models import Feed, Table
from labeling.frontier.standing import StandsUnder
from labeling.text.lengths import longest

LASTS = [(7, _("7\u00a0days")), (90, _("90\u00a0days")), (366, _("A year"))]


class FeedForm(forms.Form):
    name = forms.CharField(
        max_length=longest(Feed, "name"),
        label=_("Name"),
        help_text=_("Where it is read, and what for."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    table = forms.ChoiceField(choices=Table.choices, label=_("Table"))
    promise = forms.ChoiceField(
        choices=[("", _("All that are in force")), *StandsUnder.choices], required=False, label=_("Labels")
    )
    columns = forms.CharField(
        max_length=2000,
        required=False,
        label=_("Columns"),
        help_text=_("Names, parted by commas: name, class_now, created_at. Empty: all of them."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    lasts = forms.TypedChoiceField(choices=LASTS, coerce=int, initial=90, label=_("Lasts"))

    def asked(self) -> dict[str, Any]:
        given = self.cleaned_data
        columns = [name.strip() for name in given["columns"].split(",") if name.strip()]
        return {name: given[name] for name in ("name", "table", "promise")} | {
            "columns": columns,
            "expires_at": timezone.now() + timedelta(days=given["lasts"]),
        }
