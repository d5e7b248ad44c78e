"""What people type to keep a template or bring one along."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy

from labeling.catalog.models import KeptProjectTemplate, Project
from labeling.catalog.projects import SLUG_RULE
from labeling.refusals import Refused
from labeling.text.lengths import longest


class TemplateFileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "A template's TOML file, as it is downloaded here or from a project's settings."
        ),
        widget=forms.FileInput(attrs={"accept": ".toml"}),
    )

    def content(self) -> bytes:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        return bytes(file.read())

    def tell(self, refusal: Refused) -> dict[str, Any]:
        """What is wrong with the file by its places; where it is none of them, beside the field."""
        if refusal.code == "invalid" and "file" not in refusal.fields:
            return refusal.fields
        self.add_error("file", refusal.message)
        return {}


class KeepTemplateForm(forms.Form):
    """A project that becomes a template of the site."""

    name = forms.CharField(max_length=longest(Project, "name"), label=gettext_lazy("Name"))
    key = forms.SlugField(
        max_length=longest(KeptProjectTemplate, "key"),
        label=gettext_lazy("Key"),
        help_text=gettext_lazy(
            "By it programs name the template. Small letters and digits, with hyphens between them."
        ),
        error_messages={"invalid": SLUG_RULE},
    )
    says = forms.CharField(
        max_length=300,
        required=False,
        label=gettext_lazy("What it is for"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
