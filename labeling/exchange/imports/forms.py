"""What an admin sends and says of an import. The rules are the service's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes
from labeling.exchange.imports.looks import looks_of
from labeling.exchange.imports.readers import READERS
from labeling.exchange.models import Import, Use
from labeling.text.lengths import longest
from labeling.truth.models import AnswerKind

#: What each use means, in a sentence.
SAID = {
    Use.ANSWER: _(
        "Each counts as one of the answers that a photo gets, and is never blind. People give the others, and where they "
        "agree the photo is settled."
    ),
    Use.TRAIN: _("Each settles its photo at once, as imported. The model learns from it, and is not judged by it."),
    Use.GOLD: _("People are checked with these photos, blind. They neither train nor settle anything."),
    Use.TEXT: _(
        "Each is kept as the photo's metadata, under the name of its column: searches find it, and it becomes a category. "
        "It answers nothing."
    ),
    Use.HINT: _("Reviewers read them beside the answers. They settle nothing, and a ruling made beside one proves nothing."),
}  # fmt: skip
ROLES = {"photo": _("The photo's name or hash"), "label": _("Its class"), "annotator": _("Who said so")}


class SendForm(forms.Form):
    file = forms.FileField(
        label=_("Labels, or an archive of labels with their photos"),
        allow_empty_file=True,
        widget=forms.ClearableFileInput(
            attrs={"accept": ".csv,.tsv,.txt,.json,.jsonl,.ndjson,.parquet,.xml,.zip"}
        ),
    )
    use = forms.ChoiceField(choices=Use.choices, required=False, initial=Use.ANSWER, widget=forms.HiddenInput)
    source = forms.CharField(
        max_length=longest(Import, "source"),
        required=False,
        label=_("Source"),
        help_text=_("By which these labels are known here. Optional: the file's name."),
    )


class MapForm(forms.Form):
    """Use, source, columns and classes of one import. ``labels``: the fields of classes with label and rows."""

    use = forms.ChoiceField(choices=Use.choices, widget=forms.RadioSelect)
    source = forms.CharField(max_length=longest(Import, "source"), label=_("Source"))
    format = forms.ChoiceField(
        label=_("Format"), choices=[(name, reader.title) for name, reader in READERS.items()]
    )

    def __init__(self, of: Import, project: Project, data: Any = None) -> None:
        super().__init__(data, initial={"use": of.use, "source": of.source, "format": of.format})
        self._of = of
        fields = of.found.get("fields", {})  # as the database keeps them, in an order of its own
        for role, names in ((role, fields[role]) for role in ROLES if role in fields):
            self.fields[f"column-{role}"] = forms.ChoiceField(
                label=ROLES[role],
                choices=[(name, name or _("nobody says")) for name in names],
                initial=of.columns.get(role, ""),
                required=False,
            )
        self._names = {row.label_class.key: row.name for row in active_classes(project)}
        means = [
            ("?", _("Choose")),
            *self._names.items(),
            (AnswerKind.HOLD.value, AnswerKind.HOLD.label),
            (AnswerKind.UNUSABLE.value, AnswerKind.UNUSABLE.label),
            ("", _("Leave out")),
        ]
        rows = {} if of.use == Use.TEXT else of.found.get("labels", {})
        self._labels = sorted(rows, key=lambda label: (-rows[label], label))
        self._looks = {label: look for label, look in looks_of(of).items() if look.key in self._names}
        for number, label in enumerate(self._labels):
            look = self._looks.get(label)
            likely = look.key if look is not None and look.is_clear else "?"
            self.fields[f"class-{number}"] = forms.ChoiceField(
                label=label, choices=means, initial=of.classes.get(label, likely), required=False
            )

    @property
    def columns(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("column-")]

    @property
    def labels(self) -> list[dict[str, Any]]:
        """Of each label its field, its rows, and what its photos look like where nobody has said what it means: the name
        of the class, ``alike`` and ``of``."""
        rows = self._of.found.get("labels", {})
        return [
            {"field": self[f"class-{number}"], "rows": rows[label], "looks": self._look_named(label)}
            for number, label in enumerate(self._labels)
        ]

    def _look_named(self, label: str) -> dict[str, Any] | None:
        look = self._looks.get(label)
        return None if look is None else {"name": self._names[look.key], "alike": look.alike, "of": look.of}

    @property
    def looked_like(self) -> int:
        """Labels of which something is chosen in advance, and nothing was saved."""
        return sum(look.is_clear for look in self._looks.values())

    @property
    def uses(self) -> list[tuple[str, Any, Any]]:
        return [(use.value, use.label, SAID[use]) for use in Use]

    def asked(self) -> dict[str, Any]:
        """What differs from the import, for :func:`~labeling.exchange.imports.services.change_import`."""
        given, of = self.cleaned_data, self._of
        columns = {
            name.removeprefix("column-"): value for name, value in given.items() if name.startswith("column-")
        }
        asked: dict[str, Any] = {"use": given["use"], "source": given["source"]}
        if given["format"] != of.format:
            return asked | {"format": given["format"]}
        asked["classes"] = {
            label: given[f"class-{number}"]
            for number, label in enumerate(self._labels)
            if given[f"class-{number}"] != "?"
        }
        return asked | ({"columns": columns} if columns != of.columns else {})
