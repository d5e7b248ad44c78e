"""The form of a question sheet: a name, and which projects are asked in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Project
from labeling.queue.models import QuestionSheet
from labeling.queue.sheets.services import MOST
from labeling.text.lengths import longest
from labeling.text.number_fields import WholeField


class SheetForm(forms.Form):
    """``projects``: those to choose from; ``places``: project id -> its place, from 1."""

    name = forms.CharField(max_length=longest(QuestionSheet, "name"), label=gettext_lazy("Name"))
    slug = forms.CharField(
        max_length=longest(QuestionSheet, "slug"),
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("Small letters, digits and hyphens. It stays, because links carry it."),
    )

    def __init__(
        self,
        *args: Any,
        projects: Sequence[Project],
        places: Mapping[int, int] | None = None,
        new: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.choices = projects
        if not new:
            del self.fields["slug"]
        for project in projects:
            self.fields[f"place{project.pk}"] = WholeField(
                label=project.name,
                required=False,
                min_value=1,
                max_value=MOST,
                initial=(places or {}).get(project.pk),
            )

    @property
    def rows(self) -> list[tuple[Project, forms.BoundField]]:
        return [(project, self[f"place{project.pk}"]) for project in self.choices]

    @property
    def chosen(self) -> list[str]:
        """Slugs of the projects that have a place, in its order."""
        placed = [
            (place, project.slug)
            for project in self.choices
            if (place := self.cleaned_data.get(f"place{project.pk}")) is not None
        ]
        return [slug for _place, slug in sorted(placed, key=lambda each: each[0])]
