"""What an admin says of an erasure. The rules are the service's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from labeling.catalog import selectors
from labeling.catalog.models import Project
from labeling.erasure.asking import MOST_DAYS
from labeling.erasure.models import Erasure, Scope
from labeling.text.lengths import longest
from labeling.text.number_fields import WholeField


class ScopeForm(forms.Form):
    """Which photos; sent by GET, so that what goes is an address."""

    scope = forms.ChoiceField(
        label=_("Erase"),
        choices=[each for each in Scope.choices if each[0] not in (Scope.LIMIT, Scope.AGAIN, Scope.FOUND)],
    )
    photo = forms.CharField(
        label=_("Photos"),
        required=False,
        max_length=20_000,
        help_text=_("Their numbers, as their pages' addresses end."),
    )
    source = forms.ChoiceField(label=_("Source"), required=False)
    query = forms.CharField(required=False, max_length=4000, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, project: Project) -> None:
        if data is not None:  # an address may name several, one after the other
            data = data.copy()
            data["photo"] = " ".join(data.getlist("photo"))
        super().__init__(data)
        scopes = self.fields["scope"]
        assert isinstance(scopes, forms.ChoiceField)  # narrows the type
        if data and data.get("query"):  # one comes here from the search
            scopes.choices = [*scopes.choices, (Scope.FOUND.value, Scope.FOUND.label)]  # type: ignore[misc]  # pairs
        field = self.fields["source"]
        assert isinstance(field, forms.ChoiceField)  # narrows the type
        field.choices = [("", "–"), *((name, name) for name in selectors.sources(project))]

    def clean_photo(self) -> list[int]:
        words = self.cleaned_data["photo"].replace(",", " ").split()
        if not all(word.isascii() and word.isdecimal() and len(word) < 19 for word in words):
            raise forms.ValidationError(_("Numbers only, with spaces between them."))
        return [int(word) for word in words]

    def asked(self) -> dict[str, Any]:
        """As :func:`~labeling.erasure.services.ask` takes it."""
        given = self.cleaned_data
        return {
            "scope": given["scope"],
            "item_ids": given["photo"],
            "source": given["source"],
            "query": given["query"],
        }


class _WhyAndWhen(forms.Form):
    reason = forms.CharField(
        label=_("Why"),
        max_length=longest(Erasure, "reason"),
        help_text=_("Stays in the diary: name nobody, and nothing that is to be erased."),
    )
    days = WholeField(
        label=_("Days in which it can be undone"),
        min_value=0,
        max_value=MOST_DAYS,
        initial=settings.ERASURE_DAYS,
        help_text=_("0: gone for good within the hour."),
    )


class AskForm(ScopeForm, _WhyAndWhen):
    """Those photos, why, and how long they can be brought back."""


class PersonForm(_WhyAndWhen):
    """Of a person whose page says who it is."""


class LiftForm(forms.Form):
    sha256 = forms.RegexField(
        r"^\s*[0-9a-fA-F]{64}\s*$",
        label=_("SHA-256 of the file"),
        help_text=_("As `sha256sum` prints it: the list of what was erased knows no names."),
    )
