"""A source to watch, and a table of addresses to take photos from."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from labeling.catalog.models import WatchedSource
from labeling.text.lengths import longest
from labeling.text.number_fields import WholeField


class SourceForm(forms.Form):
    kind = forms.ChoiceField(choices=WatchedSource.Kind.choices, label=gettext_lazy("Kind"))
    address = forms.CharField(
        max_length=longest(WatchedSource, "address"),
        label=gettext_lazy("Folder or bucket"),
        help_text=gettext_lazy(
            "A folder that is open for intake, or the name of an open bucket and folders in it."
        ),
        widget=forms.TextInput(attrs={"list": "open-sources", "autocomplete": "off", "spellcheck": "false"}),
    )
    minutes = WholeField(
        label=gettext_lazy("Look every … minutes"),
        min_value=WatchedSource.OFTEN,
        max_value=WatchedSource.SELDOM,
        initial=60,
    )
    referenced = forms.BooleanField(
        required=False,
        label=gettext_lazy("Leave the photos in the bucket"),
        help_text=gettext_lazy(
            "Only pictures for the screen are kept here; the files are read from the bucket whenever they are needed, and "
            "must stay there."
        ),
    )

    def __init__(self, *args: Any, buckets: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not buckets:
            self.fields["kind"].choices = [  # type: ignore[attr-defined]
                each for each in WatchedSource.Kind.choices if each[0] != WatchedSource.Kind.BUCKET
            ]
            del self.fields["referenced"]


class UrlsForm(forms.Form):
    urls = forms.FileField(
        label=gettext_lazy("Table of addresses (CSV)"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        help_text=gettext_lazy(
            "Column “url”; “file_name” if you like. All other columns are kept as the photo's metadata."
        ),
    )
