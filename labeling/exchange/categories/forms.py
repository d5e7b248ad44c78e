"""What an admin says of texts. The rules are the service's."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.catalog.metadata.values import LONGEST_NAME, LONGEST_TEXT
from labeling.exchange.vocabularies import VocabularyVersion
from labeling.text.lengths import longest

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class MakeForm(forms.Form):
    name = forms.CharField(
        label=_("Name of the texts"),
        max_length=LONGEST_NAME,
        help_text=_("Metadata of photos, as they come in: category, say."),
        widget=forms.TextInput(attrs={**_PLAIN, "list": "metadata-names"}),
    )
    target = forms.CharField(
        label=_("Keep the category as"),
        max_length=LONGEST_NAME,
        required=False,
        help_text=_("Beside the text, which stays as it is. Optional: its name with “_normalised”."),
        widget=forms.TextInput(attrs=_PLAIN),
    )


class RenameForm(forms.Form):
    old = forms.CharField(
        label=_("Category"),
        max_length=LONGEST_TEXT,
        widget=forms.TextInput(attrs={**_PLAIN, "list": "categories"}),
    )
    new = forms.CharField(
        label=_("Call it"),
        max_length=LONGEST_TEXT,
        widget=forms.TextInput(attrs={**_PLAIN, "list": "categories"}),
    )


class VersionForm(forms.Form):
    note = forms.CharField(
        label=_("Note"),
        max_length=longest(VocabularyVersion, "note"),
        help_text=_("What changed, and why."),
    )
