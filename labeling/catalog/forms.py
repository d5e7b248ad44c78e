"""What people type on the catalog's pages, read and checked for form. The rules themselves are the services'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog import backbones
from labeling.catalog.models import ClassDefinition, Guideline, Item, Project, Role
from labeling.catalog.projects import SETTINGS, SLUG_RULE

if TYPE_CHECKING:
    _ProjectModelForm = forms.ModelForm[Project]
    _ClassFormSet = forms.BaseFormSet["NewClassForm"]
else:  # at run time the classes take no type argument
    _ProjectModelForm = forms.ModelForm
    _ClassFormSet = forms.BaseFormSet

_LINES = gettext_lazy("One a line.")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class ProjectForm(forms.Form):
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    question = forms.CharField(
        max_length=300,
        label=gettext_lazy("Question"),
        help_text=gettext_lazy(
            "What the labeler is asked of each photo. For example: Is this cell defective?"
        ),
    )
    slug = forms.SlugField(
        max_length=60,
        required=False,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy(
            "Small letters and digits, with hyphens between them. Made from the name when left empty. It stays."
        ),
        error_messages={"invalid": SLUG_RULE},
    )
    description = forms.CharField(
        required=False, label=gettext_lazy("Description"), widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("slug") and cleaned.get("name") and "slug" not in self.errors:
            cleaned["slug"] = slugify(cleaned["name"]).replace("_", "-")[:60].strip("-")
            if not cleaned["slug"]:
                self.add_error(
                    "slug", _("The name has no Latin letters to make an address from. Write one here.")
                )
        return cleaned


class NewClassForm(forms.Form):
    name = forms.CharField(max_length=80, required=False, label=gettext_lazy("Name"))
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
        help_text=_LINES,
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
            "checklist": _lines(self.cleaned_data["checklist"]),
        }


class _ClassRows(_ClassFormSet):
    """Rows of new classes; what is wrong with all of them together is said in words for people."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "missing_management_form": gettext_lazy(
            "The page was sent incomplete, so nothing was founded. Write the classes again and send it once more."
        ),
        "too_many_forms": gettext_lazy("A project can have at most %(num)d classes. Take some away."),
        "too_few_forms": gettext_lazy("A question needs at least two classes. Add another one."),
    }


NewClassFormSet = forms.formset_factory(
    NewClassForm, formset=_ClassRows, extra=4, max_num=40, validate_max=True
)


class SettingsForm(_ProjectModelForm):
    #: How the page groups them.
    GROUPS = (
        (gettext_lazy("The question"), ("name", "question", "description")),
        (
            gettext_lazy("How strictly it is answered"),
            (
                "answers_per_image",
                "rule",
                "agreement_k",
                "min_view_ms",
                "undo_seconds",
                "lease_seconds",
                "checklist_required",
                "reviewer_may_rule_own",
            ),
        ),
        (gettext_lazy("Gold questions"), ("gold_rate", "gold_bar", "gold_window")),
        (
            gettext_lazy("Order of the queue"),
            (
                "strategy",
                "bands",
                "boundary_after",
                "band_agreement",
                "band_alpha",
                "audit_rate",
                "sweep_allowed",
            ),
        ),
        (gettext_lazy("Training"), ("retrain_every", "promote_automatically", "backbone")),
    )
    strategy = forms.ChoiceField(
        label=gettext_lazy("Strategy"),
        choices=[
            ("inward", gettext_lazy("Inward: from the extremes to the boundary")),
            ("hybrid", gettext_lazy("Typical first, then inward")),
            ("random", gettext_lazy("Random")),
            ("uncertain", gettext_lazy("Most uncertain first")),
            ("margin", gettext_lazy("Smallest margin between two classes first")),
            ("entropy", gettext_lazy("Most spread over all classes first")),
            ("committee", gettext_lazy("What a committee of models disagrees about")),
            ("dropquery", gettext_lazy("What changes when features are dropped")),
            ("coverage", gettext_lazy("What covers most of the pool")),
            ("typical", gettext_lazy("Most typical first")),
        ],
    )

    backbone = forms.ChoiceField(
        label=gettext_lazy("Backbone"),
        help_text=gettext_lazy(
            "The network that looks at the photos. With “tiles2” it also looks at four parts of each, for defects that "
            "are small; that takes five times as long. Another one embeds all photos anew, and the next training uses it."
        ),
    )

    class Meta:
        model = Project
        fields = tuple(sorted(SETTINGS))
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        labels = {
            "name": gettext_lazy("Name"),
            "question": gettext_lazy("Question"),
            "description": gettext_lazy("Description"),
            "answers_per_image": gettext_lazy("Answers a photo"),
            "rule": gettext_lazy("Rule"),
            "agreement_k": gettext_lazy("k, for “at least k”"),
            "min_view_ms": gettext_lazy("Shortest believable viewing time (ms)"),
            "undo_seconds": gettext_lazy("Time for undo (s)"),
            "lease_seconds": gettext_lazy("A photo is on loan for (s)"),
            "checklist_required": gettext_lazy("The checklist must be ticked"),
            "reviewer_may_rule_own": gettext_lazy("Reviewers may rule on photos that they answered"),
            "gold_rate": gettext_lazy("Share of gold questions"),
            "gold_bar": gettext_lazy("Share of gold answers that must be right"),
            "gold_window": gettext_lazy("Counted over the last (answers)"),
            "bands": gettext_lazy("Bands"),
            "boundary_after": gettext_lazy("At the boundary after (ground truths)"),
            "band_agreement": gettext_lazy("Agreement that opens the next band"),
            "band_alpha": gettext_lazy("Krippendorff's alpha that opens it"),
            "audit_rate": gettext_lazy("Share of random audit photos"),
            "sweep_allowed": gettext_lazy("Labelers may sweep the outer bands"),
            "retrain_every": gettext_lazy("Train by itself every (ground truths)"),
            "promote_automatically": gettext_lazy("Promote by itself when not worse"),
        }
        help_texts = {
            "min_view_ms": gettext_lazy("Faster answers are refused, and the labeler is told."),
            "gold_bar": gettext_lazy("A labeler below it is paused until an admin lets them go on."),
            "retrain_every": gettext_lazy("0 is never."),
            "undo_seconds": gettext_lazy("0: no answer can be taken back."),
            "audit_rate": gettext_lazy("Drawn at random from all photos. Only these prove a precision."),
            "sweep_allowed": gettext_lazy(
                "Photos of one predicted class are shown as a grid, and the labeler marks those that are not. Gold photos "
                "of other classes are mixed in. It is faster, and not blind: such answers train, and prove nothing."
            ),
        }

    def __init__(self, data: Any = None, *, project: Project) -> None:
        # A copy: a form that turns out invalid must not leave its values on the page's project.
        super().__init__(data, instance=Project.objects.get(pk=project.pk))
        field = self.fields["backbone"]
        assert isinstance(field, forms.ChoiceField)  # narrows the type
        # One that was set through the API, or whose weights are gone since, stays until somebody changes it.
        field.choices = [(name, name) for name in dict.fromkeys([*backbones.choices(), project.backbone])]

    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    def changes(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def _post_clean(self) -> None:
        """The service validates the whole project, in words that name the field."""


class ArchiveForm(forms.Form):
    confirm = forms.CharField(label=gettext_lazy("Type the project's address to put it away"))

    def __init__(self, data: Any = None, *, project: Project) -> None:
        super().__init__(data)
        self.project = project

    def clean_confirm(self) -> str:
        if self.cleaned_data["confirm"].strip() != self.project.slug:
            raise forms.ValidationError(
                _("This is not the project's address: %(slug)s.") % {"slug": self.project.slug}
            )
        return str(self.cleaned_data["confirm"])


class MemberForm(forms.Form):
    username = forms.CharField(max_length=150, label=gettext_lazy("User name"))
    role = forms.ChoiceField(choices=Role.choices, label=gettext_lazy("Role"))


class AccountForm(MemberForm):
    full_name = forms.CharField(max_length=150, required=False, label=gettext_lazy("Full name"))
    password = forms.CharField(
        label=gettext_lazy("First password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=gettext_lazy("At least 8 letters, not a common word. Tell it to the person yourself."),
    )
    field_order = ("username", "full_name", "role", "password")


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
        widget=_ManyFiles(attrs={"accept": "image/*,.zip,application/zip"}),
    )
    source = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Name of this delivery"),
        help_text=gettext_lazy("By which you will find the photos again. Optional."),
    )


class FolderForm(forms.Form):
    folder = forms.CharField(
        max_length=1000,
        label=gettext_lazy("Folder on the server"),
        widget=forms.TextInput(attrs={"list": "open-folders", "autocomplete": "off", "spellcheck": "false"}),
    )


class ExemplarForm(forms.Form):
    """Photos chosen in the grid become exemplars of a class."""

    label_class = forms.ChoiceField(label=gettext_lazy("Exemplars of"))
    note = forms.CharField(
        max_length=300, label=gettext_lazy("Note"), help_text=gettext_lazy("What these photos show, and why.")
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
    """One class in use, as the guideline page edits it. What is left as it was changes nothing."""

    KEEP, RETIRE, MERGE = "keep", "retire", "merge:"

    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    place = forms.IntegerField(min_value=1, max_value=99, label=gettext_lazy("Place"))
    fate = forms.ChoiceField(label=gettext_lazy("Fate"))
    criteria = forms.CharField(
        required=False,
        label=gettext_lazy("Criteria"),
        help_text=gettext_lazy("Lines that begin with “-” become a list."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    checklist = forms.CharField(
        required=False,
        label=gettext_lazy("Checklist"),
        help_text=_LINES,
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
            prefix=f"class-{self.key}",
            initial={
                "name": definition.name,
                "place": definition.position + 1,
                "fate": self.KEEP,
                "criteria": definition.criteria,
                "checklist": "\n".join(definition.checklist),
                "keep": [image.sha256 for image in self.shown],
            },
        )
        for field, choices in (
            (
                "fate",
                [
                    (self.KEEP, _("Keep")),
                    (self.RETIRE, _("Retire: ask it no more")),
                    *(
                        (
                            f"{self.MERGE}{other.label_class.key}",
                            _("Merge into “%(name)s”") % {"name": other.name},
                        )
                        for other in others
                    ),
                ],
            ),
            ("keep", [(image.sha256, image.sha256[:12]) for image in self.shown]),
        ):
            self.fields[field].choices = choices  # type: ignore[attr-defined]

    def clean_more(self) -> list[str]:
        """File names (or hashes) as hashes of photos of the project."""
        names = _lines(self.cleaned_data["more"])
        found: list[str] = []
        for name in names[:20]:
            items = Item.objects.filter(project=self.project)
            by_hash = len(name) == 64
            item = items.filter(image__sha256=name).first() if by_hash else items.filter(name=name).first()
            if item is None:
                raise forms.ValidationError(
                    _("No photo of this project is called “%(name)s”.") % {"name": name}
                )
            found.append(item.image.sha256)
        return found

    def exemplars(self) -> list[str]:
        kept = set(self.cleaned_data["keep"])
        return [*(image.sha256 for image in self.shown if image.sha256 in kept), *self.cleaned_data["more"]]


class GuidelineForm(forms.Form):
    """The whole guideline: a :class:`ClassForm` a class in use, one new class, and a note."""

    note = forms.CharField(
        max_length=300,
        label=gettext_lazy("What changes, and why"),
        help_text=gettext_lazy("Labelers and reviewers read this in the list of versions."),
    )
    expected = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, data: Any, *, project: Project, guideline: Guideline, definitions: Sequence[ClassDefinition]
    ) -> None:
        super().__init__(data, initial={"expected": guideline.number})
        self.classes = [
            ClassForm(
                data,
                project=project,
                definition=definition,
                others=[other for other in definitions if other.pk != definition.pk],
            )
            for definition in definitions
        ]
        self.new_class = NewClassForm(data, prefix="new")

    def is_valid(self) -> bool:
        parts = [part.is_valid() for part in (*self.classes, self.new_class)]
        own = super().is_valid()
        if own and not all(parts):
            self.add_error(None, _("Some classes need a correction below. Nothing was published yet."))
        return own and all(parts)

    def amendment(self) -> dict[str, Any]:
        """What differs from the version that was shown, as :func:`amend_guideline` takes it."""
        rename, criteria, checklist, exemplars, merge = {}, {}, {}, {}, {}
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
            # Browsers send line ends as CR LF.
            if given["criteria"].replace("\r\n", "\n") != was.criteria:
                criteria[key] = given["criteria"].replace("\r\n", "\n")
            if _lines(given["checklist"]) != was.checklist:
                checklist[key] = _lines(given["checklist"])
            if part.exemplars() != [image.sha256 for image in part.shown]:
                exemplars[key] = part.exemplars()
        added = self.new_class.as_class()
        return {
            "note": self.cleaned_data["note"],
            "expected": self.cleaned_data["expected"],
            "rename": rename,
            "criteria": criteria,
            "checklist": checklist,
            "exemplars": exemplars,
            "merge": merge,
            "retire": retire,
            "add": [added] if added else [],
            "order": self._order({*retire, *merge}),
        }

    def _order(self, leaving: set[str]) -> list[str]:
        staying = [part for part in self.classes if part.key not in leaving]
        staying.sort(key=lambda part: (part.cleaned_data["place"], part.definition.position))
        return [part.key for part in staying]
