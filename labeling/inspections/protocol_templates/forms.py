"""What people type to create a protocol from a template, and to keep one as a template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.forms.templates import KeepTemplateForm
from labeling.catalog.models import Project
from labeling.catalog.projects import SLUG_RULE
from labeling.inspections.models import KeptProtocolTemplate, Protocol
from labeling.inspections.protocol_templates.creating import fitting
from labeling.inspections.protocol_templates.template import ProtocolTemplate
from labeling.text.lengths import longest

#: Names of the fields that say which project a check asks begin with it, as refusals' fields do.
ASKS = "asks."


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

    def __init__(
        self, data: Any = None, *, of: ProtocolTemplate, projects: Sequence[Project], **more: Any
    ) -> None:
        """``projects``: those that may be asked, each where it has the classes that the template's rules name."""
        super().__init__(data, **more)
        for key, fit in fitting(of, projects).items():
            if fit:
                self.fields[f"{ASKS}{key}"] = forms.ChoiceField(
                    choices=[("", _("a new project")), *((each.slug, each.name) for each in fit)],
                    required=False,
                    initial="",
                    label=_("Who answers the check “%(name)s”") % {"name": of.projects[key].said["name"]},
                )

    def asks(self) -> dict[str, str]:
        """By the key of a check the address of the project that is asked; empty: a new one."""
        return {
            name.removeprefix(ASKS): value
            for name, value in self.cleaned_data.items()
            if name.startswith(ASKS)
        }


class KeepProtocolForm(KeepTemplateForm):
    """A protocol that becomes a template of the site."""

    name = forms.CharField(max_length=longest(Protocol, "name"), label=gettext_lazy("Name"))
