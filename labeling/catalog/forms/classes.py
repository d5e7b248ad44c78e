"""New classes as people type them, for a new project and for a guideline that has some already.

Which names and keys are free is not known here: the guideline's services say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.forms.texts import ONE_A_LINE, lines_of, longest
from labeling.catalog.guidelines import MAX_CLASSES
from labeling.catalog.models import ClassDefinition

if TYPE_CHECKING:
    _ClassFormSet = forms.BaseFormSet["NewClassForm"]
else:  # at run time the class takes no type argument
    _ClassFormSet = forms.BaseFormSet


class NewClassForm(forms.Form):
    """A row left empty is no class."""

    name = forms.CharField(
        max_length=longest(ClassDefinition, "name"), required=False, label=gettext_lazy("Name")
    )
    criteria = forms.CharField(
        required=False,
        label=gettext_lazy("Criteria"),
        help_text=gettext_lazy(
            "What must be visible for this answer, and what does not count. Lines that begin with “-” become a list."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    checklist = forms.CharField(
        required=False,
        label=gettext_lazy("Checklist"),
        help_text=ONE_A_LINE,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if (cleaned.get("criteria") or cleaned.get("checklist")) and not cleaned.get("name"):
            self.add_error("name", _("Give this class a name, or empty its other fields."))
        return cleaned

    def as_class(self) -> dict[str, Any] | None:
        """The class as services take it; ``None`` for a row left empty."""
        if not self.cleaned_data.get("name"):
            return None
        return {
            "name": self.cleaned_data["name"],
            "criteria": self.cleaned_data["criteria"],
            "checklist": lines_of(self.cleaned_data["checklist"]),
        }


class _ClassRows(_ClassFormSet):
    """Rows of new classes; what is wrong with all of them together is said in words for people."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "missing_management_form": gettext_lazy(
            "The page was sent incomplete, so nothing was created. Write the classes again and send it once more."
        ),
        "too_many_forms": gettext_lazy("A project can have at most %(num)d classes. Take some away."),
        "too_few_forms": gettext_lazy("A question needs at least two classes. Add another one."),
    }


NewClassFormSet = forms.formset_factory(
    NewClassForm, formset=_ClassRows, extra=4, max_num=MAX_CLASSES, validate_max=True
)
