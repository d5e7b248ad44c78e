"""Photos and folders to take in. Whether they are photos, and whether a folder is open, is found out later."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import IntakeFile, Item
from labeling.catalog.name_encodings import ENCODINGS
from labeling.text.lengths import longest


class _ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """Several files under one name."""

    widget = _ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[bytes]]:
        files = [file for file in (data if isinstance(data, list | tuple) else [data]) if file]
        if not files:
            raise forms.ValidationError(_("Choose at least one photo, or a zip archive."))
        return files


class UploadForm(forms.Form):
    photos = _FilesField(
        label=gettext_lazy("Photos, or a zip archive of photos"),
        widget=_ManyFiles(attrs={"accept": "image/*,.zip,application/zip,.csv,text/csv"}),
    )
    source = forms.CharField(
        max_length=longest(Item, "source"),
        required=False,
        label=gettext_lazy("Name of this delivery"),
        help_text=gettext_lazy("By which you will find the photos again. Optional."),
    )

    encoding = forms.ChoiceField(
        required=False,
        choices=[("", gettext_lazy("Find out")), *ENCODINGS.items()],
        label=gettext_lazy("Names in a zip archive"),
        help_text=gettext_lazy(
            "Only for archives that do not say how they write names, as old zip programs make them."
        ),
    )
    partial = forms.BooleanField(required=False)


class FolderForm(forms.Form):
    folder = forms.CharField(
        max_length=longest(IntakeFile, "path"),
        label=gettext_lazy("Folder on the server"),
        widget=forms.TextInput(attrs={"list": "open-folders", "autocomplete": "off", "spellcheck": "false"}),
    )
