"""New classes as people type them, for a new project and for a guideline that has some already.

Which names and keys are free is not known here: the guideline's services say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.forms.texts import ONE_A_LINE, lines_of
from labeling.catalog.guidelines import MAX_CLASSES
from labeling.catalog.models import ClassDefinition, LabelClass
from labeling.text.lengths import longest

if TYPE_CHECKING:
    _ClassFormSet = forms.BaseFormSet["NewClassForm"]
else:  # at run time the class takes no type argument
    _ClassFormSet = forms.BaseFormSet


GROUP = gettext_lazy("Group")
#: Between a class's group and its name in a pasted line. With spaces, for names that hold a stroke.
_BETWEEN = " / "


class PastedClasses(forms.CharField):
    """Names of classes, one a line, each with the group in front of it if it has one. As services take them."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label=gettext_lazy("Paste a list"),
            help_text=gettext_lazy(
                "One class a line: its name, or its group and its name as “Body / Dent”. They come behind the others."
            ),
            widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        )

    def clean(self, value: Any) -> list[dict[str, str]]:
        lines = lines_of(super().clean(value))
        if len(lines) > MAX_CLASSES:
            raise forms.ValidationError(
                _("A project can have at most %(n)s classes in use.") % {"n": MAX_CLASSES}
            )
        return [_pasted(number, line) for number, line in enumerate(lines, start=1)]


def _pasted(number: int, line: str) -> dict[str, str]:
    group, between, name = line.rpartition(_BETWEEN)
    found = {"group": group.strip() if between else "", "name": name.strip()}
    for field, text in found.items():
        most = longest(ClassDefinition, field)
        if len(text) > most:
            raise forms.ValidationError(
                _("Line %(number)d is too long: a name holds at most 80 letters, a group 60.")
                % {"number": number}
            )
    return found


class NewClassForm(forms.Form):
    """A row left empty is no class."""

    name = forms.CharField(
        max_length=longest(ClassDefinition, "name"), required=False, label=gettext_lazy("Name")
    )
    group = forms.CharField(
        max_length=longest(ClassDefinition, "group"),
        required=False,
        label=GROUP,
        widget=forms.TextInput(attrs={"list": "class-groups", "autocomplete": "off"}),
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
        if any(cleaned.get(name) for name in ("group", "criteria", "checklist")) and not cleaned.get("name"):
            self.add_error("name", _("Give this class a name, or empty its other fields."))
        return cleaned

    def as_class(self) -> dict[str, Any] | None:
        """The class as services take it; ``None`` for a row left empty."""
        if not self.cleaned_data.get("name"):
            return None
        return {
            "name": self.cleaned_data["name"],
            "group": self.cleaned_data["group"],
            # Browsers send line ends as CR LF.
            "criteria": self.cleaned_data["criteria"].replace("\r\n", "\n"),
            "checklist": lines_of(self.cleaned_data["checklist"]),
        }


class _RowForm(NewClassForm):
    """``key`` comes with a template; without one it is made from the name."""

    key = forms.CharField(max_length=longest(LabelClass, "key"), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.initial.get("criteria"):  # to be read before they are kept
            self.fields["criteria"].widget.attrs["rows"] = 9

    def as_class(self) -> dict[str, Any] | None:
        given = super().as_class()
        return given and {"key": self.cleaned_data["key"], **given}


class _ClassRows(_ClassFormSet):
    """Rows of new classes; what is wrong with all of them together is said in words for people."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "missing_management_form": gettext_lazy(
            "The page was sent incomplete, so nothing was created. Write the classes again and send it once more."
        ),
        "too_many_forms": gettext_lazy("A project can have at most %(num)d classes. Take some away."),
        "too_few_forms": gettext_lazy("A question needs at least two classes. Add another one."),
    }


_NewClassRows = forms.formset_factory(
    _RowForm, formset=_ClassRows, extra=2, max_num=MAX_CLASSES, validate_max=True
)
_FilledClassRows = forms.formset_factory(
    _RowForm, formset=_ClassRows, extra=0, max_num=MAX_CLASSES, validate_max=True
)


def _as_typed(given: Mapping[str, Any]) -> dict[str, Any]:
    return {**given, "checklist": "\n".join(given.get("checklist", ()))}


class _PastedForm(forms.Form):
    pasted = PastedClasses()


class NewClasses:
    """The classes of a new project: rows, as many as one likes, and a pasted list. Context of ``catalog/_new_classes.html``.

    ``ready``: what stands in the rows at first, as services take it; without it there are empty ones.
    ``more``: somebody asked for more rows, and for nothing else; what was typed stays.
    """

    PREFIX = "classes"
    MORE = "more-rows"

    def __init__(self, data: Any = None, ready: Sequence[Mapping[str, Any]] = ()) -> None:
        self.sent = data is not None
        self.more = self.sent and self.MORE in data
        self._pasted = _PastedForm(None if self.more else data, initial=data)
        rows = _FilledClassRows if ready and not self.sent else _NewClassRows
        self.rows = rows(data, initial=[_as_typed(each) for each in ready], prefix=self.PREFIX)
        if self.more or (self.sent and not self.rows.management_form.is_valid()):
            # Not checked yet; or rows to write in, where what was sent does not say how many there were.
            self.wrong = [] if self.more else list(self.rows.non_form_errors())
            self.rows = _NewClassRows(initial=self._typed(data), prefix=self.PREFIX)
        else:
            self.wrong = list(self.rows.non_form_errors()) if self.sent else []

    @property
    def pasted(self) -> forms.BoundField:
        return self._pasted["pasted"]

    def is_valid(self) -> bool:
        return bool(self.rows.is_valid() & self._pasted.is_valid()) and not self.wrong

    def given(self) -> list[dict[str, Any]]:
        """As services take them: those of the rows, and behind them those of the list."""
        rows = [named for row in self.rows.forms if (named := row.as_class()) is not None]
        return [*rows, *self._pasted.cleaned_data["pasted"]]

    def _typed(self, data: Any) -> list[dict[str, str]]:
        try:
            rows = min(max(int(data.get(f"{self.PREFIX}-TOTAL_FORMS", "")), 0), MAX_CLASSES)
        except ValueError:
            return []
        return [
            {name: data.get(f"{self.PREFIX}-{row}-{name}", "") for name in _RowForm.base_fields}
            for row in range(rows)
        ]
