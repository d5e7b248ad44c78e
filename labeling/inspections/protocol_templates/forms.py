"""What people type to create a protocol from a template, and to keep one as a template."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from labeling.catalog.forms.templates import KeepTemplateForm
from labeling.catalog.forms.texts import longest
from labeling.catalog.projects import SLUG_RULE
from labeling.inspections.models import KeptProtocolTemplate, Protocol


class ProtocolForm(forms.Form):
    name = forms.CharField(max_length=longest(Protocol, "name"), label=gettext_lazy("Name"))
    slug = forms.SlugField(
        max_length=longest(Protocol, "slug"),
        label=gettext_lazy("Address"),
        help_text=gettext_lazy(
            "Small letters and digits, with hyphens between them. Its projects' addresses begin with it. It stays."
        ),
        error_messages={"invalid": SLUG_RULE},
    )
    template = forms.CharField(max_length=longest(KeptProtocolTemplate, "key"), widget=forms.HiddenInput)


class KeepProtocolForm(KeepTemplateForm):
    """A protocol that becomes a template of the site."""

    name = forms.CharField(max_length=longest(Protocol, "name"), label=gettext_lazy("Name"))
