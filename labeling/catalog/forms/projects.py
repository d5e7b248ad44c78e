"""What people type to create a project, to set it up and to put it away.

Which settings go together is not known here: the services say so, and the pages show it beside the fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog import backbones
from labeling.catalog.models import KeptProjectTemplate, Project
from labeling.catalog.projects import SETTINGS, SLUG_RULE
from labeling.catalog.strategies import STRATEGIES
from labeling.catalog.strictness import Preset
from labeling.text.lengths import longest

if TYPE_CHECKING:
    _ProjectModelForm = forms.ModelForm[Project]
else:  # at run time the class takes no type argument
    _ProjectModelForm = forms.ModelForm


class ProjectForm(forms.Form):
    """The project itself; its classes are rows of :class:`~labeling.catalog.forms.classes.NewClasses`."""

    name = forms.CharField(max_length=longest(Project, "name"), label=gettext_lazy("Name"))
    question = forms.CharField(
        max_length=longest(Project, "question"),
        label=gettext_lazy("Question"),
        help_text=gettext_lazy(
            "What the labeler is asked of each photo. For example: Is this cell defective?"
        ),
    )
    slug = forms.SlugField(
        max_length=longest(Project, "slug"),
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
    template = forms.CharField(
        max_length=longest(KeptProjectTemplate, "key"), required=False, widget=forms.HiddenInput
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("slug") and cleaned.get("name") and "slug" not in self.errors:
            made = slugify(cleaned["name"]).replace("_", "-")
            cleaned["slug"] = made[: longest(Project, "slug")].strip("-")
            if not cleaned["slug"]:
                self.add_error(
                    "slug", _("The name has no Latin letters to make an address from. Write one here.")
                )
        return cleaned


class SettingsForm(_ProjectModelForm):
    """Every setting that an admin may change. Shares are typed as shares here, "0.05"."""

    #: How the page groups them.
    GROUPS = (
        (gettext_lazy("Question"), ("name", "question", "description")),
        (
            gettext_lazy("Answers and agreement"),
            (
                "answers_per_image",
                "rule",
                "agreement_k",
                "boundary_answers",
                "certifying_answers",
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
                "earlier_allowed",
            ),
        ),
        (gettext_lazy("Photos of more than 8 bits"), ("levels",)),
        (gettext_lazy("Photos that come in"), ("near_duplicates",)),
        (
            gettext_lazy("Training"),
            ("retrain_every", "promote_automatically", "train_on_assisted", "backbone"),
        ),
        (gettext_lazy("Cost and target"), ("hourly_cost", "currency", "target_per_decision")),
        (gettext_lazy("Erasure"), ("keep_days",)),
    )
    strategy = forms.ChoiceField(
        label=gettext_lazy("Strategy"),
        choices=list(STRATEGIES.items()),
        help_text=gettext_lazy("By what the photos are ordered that people are asked about."),
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
        # Further backbones have a page of their own, which says what each costs.
        fields = tuple(sorted(SETTINGS - {"further_backbones"}))
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        labels = {
            "name": gettext_lazy("Name"),
            "question": gettext_lazy("Question"),
            "description": gettext_lazy("Description"),
            "answers_per_image": gettext_lazy("Answers per photo"),
            "certifying_answers": gettext_lazy("Answers per photo drawn at random"),
            "boundary_answers": gettext_lazy("Answers per photo at the boundary"),
            "rule": gettext_lazy("Rule"),
            "agreement_k": gettext_lazy("k, for “at least k”"),
            "min_view_ms": gettext_lazy("Minimum viewing time (ms)"),
            "undo_seconds": gettext_lazy("Undo time (s)"),
            "lease_seconds": gettext_lazy("Lease time (s)"),
            "checklist_required": gettext_lazy("The checklist must be ticked"),
            "reviewer_may_rule_own": gettext_lazy("Reviewers may rule on photos that they answered"),
            "gold_rate": gettext_lazy("Share of gold questions"),
            "gold_bar": gettext_lazy("Minimum gold accuracy"),
            "gold_window": gettext_lazy("Gold window (answers)"),
            "bands": gettext_lazy("Bands"),
            "boundary_after": gettext_lazy("Boundary reached after (ground truths)"),
            "band_agreement": gettext_lazy("Agreement to open the next band"),
            "band_alpha": gettext_lazy("Krippendorff's alpha to open it"),
            "audit_rate": gettext_lazy("Share of random audit photos"),
            "sweep_allowed": gettext_lazy("Labelers may sweep the outer bands"),
            "earlier_allowed": gettext_lazy("Labelers may look at an earlier photo of the same asset"),
            "near_duplicates": gettext_lazy("Near-duplicates"),
            "retrain_every": gettext_lazy("Train automatically every (ground truths)"),
            "promote_automatically": gettext_lazy("Promote automatically when not worse"),
            "train_on_assisted": gettext_lazy("Assisted labels train"),
            "levels": gettext_lazy("Where white lies"),
            "hourly_cost": gettext_lazy("Cost of an hour of work"),
            "currency": gettext_lazy("Currency"),
            "target_per_decision": gettext_lazy("Target of images per human decision"),
            "keep_days": gettext_lazy("Erase photos so many days after the decision"),
        }
        help_texts = {
            "name": gettext_lazy("As people find the project on their home page."),
            "description": gettext_lazy(
                "For the people of the project: what these photos are, and what the labels are for."
            ),
            "answers_per_image": gettext_lazy("Blind answers that each photo gets, each by another person."),
            "rule": gettext_lazy(
                "Which answers settle a photo. Where they do not, it goes to review, and a reviewer rules."
            ),
            "agreement_k": gettext_lazy(
                "So many answers alike settle a photo; for the other rule it says nothing."
            ),
            "lease_seconds": gettext_lazy(
                "So long a photo stays on loan to one labeler who does not answer; then others may get it."
            ),
            "checklist_required": gettext_lazy(
                "A class that has a checklist is taken as an answer only when all its points are ticked."
            ),
            "reviewer_may_rule_own": gettext_lazy(
                "Otherwise a dispute about a photo waits for a reviewer who did not answer it."
            ),
            "gold_rate": gettext_lazy(
                "Of the photos that a labeler is shown, those whose answer is known. Nobody can tell which they are."
            ),
            "gold_window": gettext_lazy(
                "A labeler is judged by so many of their newest answers to gold questions."
            ),
            "bands": gettext_lazy(
                "Slices of each class's photos from the surest to the boundary. The queue opens one after the other."
            ),
            "certifying_answers": gettext_lazy(
                "Only these photos prove a precision, so cleaner labels of them let the machine decide more. 0 is as all "
                "photos. Each answer more is one more for every random label that is planned (Frontier page, Policy). All "
                "must agree, or by “at least k” a majority; others go to review."
            ),
            "boundary_answers": gettext_lazy(
                "A photo that is asked in the boundary band gets so many, if these are more. Where they differ it is "
                "held: kept out of training, and no reviewer is asked. A few are ruled on all the same, so that nobody can "
                "tell those drawn at random, which always are. As many people are needed. 0: as all photos."
            ),
            "min_view_ms": gettext_lazy("Faster answers are refused, and the labeler is told."),
            "gold_bar": gettext_lazy("A labeler below it is paused until an admin lets them go on."),
            "retrain_every": gettext_lazy("0 is never."),
            "train_on_assisted": gettext_lazy(
                "An assisted label is one answer that agreed with the machine. With these a model has more to learn from, "
                "and learns to agree with itself. They never prove anything."
            ),
            "levels": gettext_lazy(
                "Cameras keep 10 to 14 bits in files of 16 (electroluminescence, thermal, X-ray). People and model see the "
                "same 8 of them. Another choice embeds all photos anew, and the next training uses it."
            ),
            "hourly_cost": gettext_lazy(
                "The dashboard and the weekly page then say what hours cost. Empty: they tell hours only."
            ),
            "currency": gettext_lazy("Stands beside each cost as you write it here. For example: EUR, ₩"),
            "target_per_decision": gettext_lazy(
                "About a half is what people reach by pairs of answers. Empty: the dashboard compares with people alone."
            ),
            "undo_seconds": gettext_lazy("0: no answer can be taken back."),
            "audit_rate": gettext_lazy("Drawn at random from all photos. Only these prove a precision."),
            "near_duplicates": gettext_lazy(
                "Photos that are nearly the same as one that is there: saved again, smaller or in another quality. Those of "
                "a group are kept on one side: what trained a model never has a near-duplicate among what judges it."
            ),
            "sweep_allowed": gettext_lazy(
                "Photos of one predicted class are shown as a grid, and the labeler marks those that are not. Gold photos "
                "of other classes are mixed in. It is faster, and not blind: such answers train, and prove nothing."
            ),
            "earlier_allowed": gettext_lazy(
                "For photos of inspections: one key shows the same shot of an earlier inspection beside, never its label, "
                "to reviewers too. It is recorded, and not blind: such answers and rulings train, and prove nothing. A "
                "random label that is given so counts as an error of the machine."
            ),
        }

    def __init__(self, data: Any = None, *, project: Project, preset: Preset | None = None) -> None:
        """``preset``: its values stand in the fields, to be looked at before they are saved."""
        # A copy: a form that turns out invalid must not leave its values on the page's project.
        super().__init__(
            data,
            instance=Project.objects.get(pk=project.pk),
            initial=dict(preset.settings) if preset else None,
        )
        field = self.fields["backbone"]
        assert isinstance(field, forms.ChoiceField)  # narrows the type
        # One that was set through the API, or whose weights are gone since, stays until somebody changes it.
        field.choices = [(name, name) for name in dict.fromkeys([*backbones.choices(), project.backbone])]
        field.help_text = format_html(
            '{} {} <a href="{}">{}</a>',
            field.help_text,
            _("Beside it look: %(names)s.") % {"names": ", ".join(project.further_backbones)}
            if project.further_backbones
            else "",
            reverse("backbones", args=[project.slug]),
            _("Further backbones, and what each costs"),
        )

    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    def shown(self, name: str, value: Any) -> str:
        """A setting's value as people read it."""
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            names: dict[Any, Any] = dict(field.choices)  # type: ignore[arg-type]  # pairs, as this form gives them
            return str(names.get(value, value))
        return f"{value:g}" if isinstance(value, float) else str(value)

    def changes(self) -> dict[str, Any]:
        """What differs from the project, as :func:`~labeling.catalog.projects.update_settings` takes it."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def _post_clean(self) -> None:
        """The service validates the whole project, in words that name the field."""


class ArchiveForm(forms.Form):
    """Whoever puts a project away types its address, so that nobody does it by a slip."""

    confirm = forms.CharField(label=gettext_lazy("Type the project's address to archive it"))

    def __init__(self, data: Any = None, *, project: Project) -> None:
        super().__init__(data)
        self.project = project

    def clean_confirm(self) -> str:
        if self.cleaned_data["confirm"].strip() != self.project.slug:
            raise forms.ValidationError(
                _("This is not the project's address: %(slug)s.") % {"slug": self.project.slug}
            )
        return str(self.cleaned_data["confirm"])
