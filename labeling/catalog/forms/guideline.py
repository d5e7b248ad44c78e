"""The guideline as an admin edits it: classes, criteria, exemplars.

The form knows what differs from the version that was shown. What a new version may say, the services know.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.forms.classes import GROUP, NewClassForm, PastedClasses
from labeling.catalog.forms.meaning import SaysMeaning
from labeling.catalog.forms.texts import ONE_A_LINE, lines_of
from labeling.catalog.guidelines import MAX_CLASSES, MAX_EXEMPLARS
from labeling.catalog.models import ClassDefinition, Guideline, Item, Project
from labeling.refusals import Refused
from labeling.text.lengths import longest
from labeling.text.plain import composed

#: Classes whose fields may be sent at once: each offers all others to be merged into.
MOST_OPENED = 100


class ExemplarForm(SaysMeaning):
    """Photos chosen in the grid become exemplars of a class."""

    label_class = forms.ChoiceField(label=gettext_lazy("Exemplars of"))
    note = forms.CharField(
        max_length=longest(Guideline, "note"),
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("What these photos show, and why."),
    )

    def __init__(self, data: Any = None, *, definitions: Sequence[ClassDefinition]) -> None:
        super().__init__(data)
        field = self.fields["label_class"]
        assert isinstance(field, forms.ChoiceField)  # narrows the type
        field.choices = [(d.label_class.key, d.name) for d in definitions]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["photo"] = self.data.getlist("photo") if isinstance(self.data, QueryDict) else []
        if not cleaned["photo"]:
            self.add_error(None, _("Tick at least one photo."))
        return cleaned


class ClassForm(forms.Form):
    """One class in use, as the editor shows it. What is left as it was changes nothing."""

    KEEP, RETIRE, MERGE = "keep", "retire", "merge:"

    name = forms.CharField(max_length=longest(ClassDefinition, "name"), label=gettext_lazy("Name"))
    group = forms.CharField(
        max_length=longest(ClassDefinition, "group"),
        required=False,
        label=GROUP,
        widget=forms.TextInput(attrs={"list": "class-groups", "autocomplete": "off"}),
    )
    place = forms.IntegerField(min_value=1, max_value=MAX_CLASSES, label=gettext_lazy("Position"))
    fate = forms.ChoiceField(label=gettext_lazy("Outcome"))
    criteria = forms.CharField(
        required=False,
        label=gettext_lazy("Criteria"),
        help_text=gettext_lazy("Lines that begin with “-” become a list."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    checklist = forms.CharField(
        required=False,
        label=gettext_lazy("Checklist"),
        help_text=ONE_A_LINE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    keep = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Exemplars to keep"), widget=forms.CheckboxSelectMultiple
    )
    more = forms.CharField(
        required=False,
        label=gettext_lazy("More exemplars"),
        help_text=gettext_lazy(
            "File names of photos of this project, one a line. The Photos page has them to tick."
        ),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self, data: Any, *, project: Project, definition: ClassDefinition, others: Sequence[ClassDefinition]
    ) -> None:
        self.project = project
        self.definition = definition
        self.key = definition.label_class.key
        self.shown = [exemplar.image for exemplar in definition.exemplars.all()]
        super().__init__(
            data,
            prefix=prefix_of(self.key),
            initial={
                "name": definition.name,
                "group": definition.group,
                "place": definition.position + 1,
                "fate": self.KEEP,
                "criteria": definition.criteria,
                "checklist": "\n".join(definition.checklist),
                "keep": [image.sha256 for image in self.shown],
            },
        )
        merges = [
            (
                f"{self.MERGE}{other.label_class.key}",
                _("Merge into “%(name)s”") % {"name": other.name},
            )
            for other in others
            if other.pk != definition.pk
        ]
        self._offer("fate", [(self.KEEP, _("Keep")), (self.RETIRE, _("Retire: ask it no more")), *merges])
        self._offer("keep", [(image.sha256, image.sha256[:12]) for image in self.shown])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # narrows the type
        field.choices = choices

    def clean_more(self) -> list[str]:
        """File names (or hashes) as hashes of photos of the project."""
        photos = Item.objects.filter(project=self.project).select_related("image")
        found: list[str] = []
        if len(lines_of(self.cleaned_data["more"])) > MAX_EXEMPLARS:
            raise forms.ValidationError(
                _("A class can have at most %(n)s exemplars. Take some away.") % {"n": MAX_EXEMPLARS}
            )
        for name in map(composed, lines_of(self.cleaned_data["more"])):
            by_hash = len(name) == 64
            item = photos.filter(image__sha256=name).first() if by_hash else photos.filter(name=name).first()
            if item is None:
                raise forms.ValidationError(
                    _("No photo of this project is called “%(name)s”.") % {"name": name}
                )
            found.append(item.image.sha256)
        return found

    def exemplars(self) -> list[str]:
        """Those that stay, and behind them those that come."""
        kept = set(self.cleaned_data["keep"])
        return [*(image.sha256 for image in self.shown if image.sha256 in kept), *self.cleaned_data["more"]]


def prefix_of(key: str) -> str:
    """What the names of a class's fields begin with."""
    return f"class-{key}"


class GuidelineForm(SaysMeaning):
    """All classes in one version: a :class:`ClassForm` each, new classes, and a note.

    ``opened``: keys of the classes whose fields the page shows. A class whose fields were not sent stays as it is, so
    that a guideline of hundreds of classes is edited without sending them all.
    """

    note = forms.CharField(
        max_length=longest(Guideline, "note"),
        label=gettext_lazy("What changes, and why"),
        help_text=gettext_lazy("Labelers and reviewers read this in the list of versions."),
    )
    pasted = PastedClasses()
    expected = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any,
        *,
        project: Project,
        guideline: Guideline,
        definitions: Sequence[ClassDefinition],
        opened: Collection[str] = (),
    ) -> None:
        super().__init__(data, initial={"expected": guideline.number})
        if data is not None:
            sent = [each.label_class.key for each in definitions]
            opened = {key for key in sent if f"{prefix_of(key)}-name" in data}
            if len(opened) > MOST_OPENED:
                raise Refused.invalid(
                    "classes",
                    _(
                        "At most %(n)d classes are changed in one version. Publish these first, then the others."
                    )
                    % {"n": MOST_OPENED},
                )
        self.definitions = definitions
        self.classes = [
            ClassForm(data, project=project, definition=definition, others=definitions)
            for definition in definitions
            if definition.label_class.key in opened
        ]
        self.by_key = {part.key: part for part in self.classes}
        self.new_class = NewClassForm(data, prefix="new")

    def is_valid(self) -> bool:
        parts = [part.is_valid() for part in (*self.classes, self.new_class)]
        own = super().is_valid()
        if own and not all(parts):
            self.add_error(None, _("Some classes need a correction below. Nothing was published yet."))
        return own and all(parts)

    def amendment(self) -> dict[str, Any]:
        """What differs from the version that was shown, as :func:`amend_guideline` takes it."""
        rename, group, criteria, checklist, exemplars, merge = {}, {}, {}, {}, {}, {}
        retire = []
        for part in self.classes:
            given, was, key = part.cleaned_data, part.definition, part.key
            fate = given["fate"]
            if fate == part.RETIRE:
                retire.append(key)
            elif fate.startswith(part.MERGE):
                merge[key] = fate.removeprefix(part.MERGE)
            if given["name"] != was.name:
                rename[key] = given["name"]
            if given["group"] != was.group:
                group[key] = given["group"]
            # Browsers send line ends as CR LF.
            if given["criteria"].replace("\r\n", "\n") != was.criteria:
                criteria[key] = given["criteria"].replace("\r\n", "\n")
            if lines_of(given["checklist"]) != was.checklist:
                checklist[key] = lines_of(given["checklist"])
            if part.exemplars() != [image.sha256 for image in part.shown]:
                exemplars[key] = part.exemplars()
        added = self.new_class.as_class()
        return {
            "note": self.cleaned_data["note"],
            "expected": self.cleaned_data["expected"],
            "rename": rename,
            "group": group,
            "criteria": criteria,
            "checklist": checklist,
            "exemplars": exemplars,
            "merge": merge,
            "retire": retire,
            "add": [*([added] if added else []), *self.cleaned_data["pasted"]],
            "order": self._order({*retire, *merge}),
            **self.said(),
        }

    def _order(self, leaving: set[str]) -> list[str]:
        """Each class that is moved gets its place; the others fill the rest in the order that they have."""
        order, moved = [], []
        for definition in self.definitions:
            key, part = definition.label_class.key, self.by_key.get(definition.label_class.key)
            if key in leaving:
                continue
            if part and part.cleaned_data["place"] != definition.position + 1:
                moved.append((part.cleaned_data["place"], definition.position, key))
            else:
                order.append(key)
        for place, _position, key in sorted(moved):
            order.insert(place - 1, key)
        return order
