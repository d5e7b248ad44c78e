"""A protocol's shots as an admin edits them. What a version may say, the services know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.guidelines import key_for
from labeling.catalog.models import Project
from labeling.inspections.catching_up import MOST_DAYS
from labeling.inspections.models import Outcome, Protocol, ProtocolVersion, Shot
from labeling.inspections.protocols import MOST_SHOTS, SHOT_FIELDS
from labeling.text.lengths import longest
from labeling.text.number_fields import RealField, WholeField, limits

if TYPE_CHECKING:
    _ShotForms = forms.BaseFormSet["ShotForm"]
else:  # at run time the class takes no type argument
    _ShotForms = forms.BaseFormSet

OUTLINES = (
    ("", gettext_lazy("none")),
    ("car-front", gettext_lazy("car from the front")),
    ("car-rear", gettext_lazy("car from behind")),
    ("car-left", gettext_lazy("car from its left")),
    ("car-right", gettext_lazy("car from its right")),
    ("car-interior", gettext_lazy("inside of a car")),
    ("panel", gettext_lazy("flat part or panel")),
    ("parcel", gettext_lazy("parcel")),
)


class ProtocolVersionForm(forms.Form):
    """What a version says beside its shots and rules."""

    expected = WholeField(min_value=1, widget=forms.HiddenInput)
    name = forms.CharField(max_length=longest(Protocol, "name"), label=gettext_lazy("Name"))
    passed_name = forms.CharField(
        max_length=longest(ProtocolVersion, "passed_name"), label=gettext_lazy("What “passed” is called")
    )
    held_name = forms.CharField(
        max_length=longest(ProtocolVersion, "held_name"), label=gettext_lazy("What “held” is called")
    )
    failed_name = forms.CharField(
        max_length=longest(ProtocolVersion, "failed_name"), label=gettext_lazy("What “failed” is called")
    )
    shots_project = forms.ModelChoiceField(
        Project.objects.none(),
        required=False,
        to_field_name="slug",
        label=gettext_lazy("Shots are recognised by"),
        help_text=gettext_lazy(
            "A project whose classes have the shots' keys. It learns from what photographers say."
        ),
    )
    settle_within_hours = WholeField(
        **limits(Protocol, "settle_within_hours"),
        required=False,
        label=gettext_lazy("Settle held inspections within (hours; empty: no such time)"),
        help_text=gettext_lazy(
            "From when the photographer was done. Held ones beyond it are marked as overdue, here and on the home page."
        ),
    )
    photos_of_days = WholeField(
        min_value=1,
        max_value=MOST_DAYS,
        required=False,
        label=gettext_lazy("Photos of the last so many days for projects that are asked anew (empty: none)"),
        help_text=gettext_lazy(
            "A job puts photos of earlier inspections into them, to be labeled and learned from. Those verdicts stay as "
            "they are."
        ),
    )
    note = forms.CharField(
        max_length=longest(ProtocolVersion, "note"), label=gettext_lazy("What changes, and why"), initial=""
    )

    def __init__(self, data: Any = None, *, protocol: Protocol, projects: Sequence[Project]) -> None:
        current = protocol.current
        names = {f"{each}_name": getattr(current, f"{each}_name") for each in Outcome.values}
        recognises = protocol.shots_project and protocol.shots_project.slug
        lasting = {
            "expected": current.number,
            "name": protocol.name,
            "settle_within_hours": protocol.settle_within_hours,
        }
        super().__init__(data, initial={"shots_project": recognises, **lasting, **names})
        field = self.fields["shots_project"]
        assert isinstance(field, forms.ModelChoiceField)  # narrows the type
        ids = [each.pk for each in (*projects, protocol.shots_project) if each is not None]
        field.queryset = Project.objects.filter(pk__in=ids).order_by("name")


class ShotForm(forms.Form):
    """One shot. Without a name it is none."""

    key = forms.RegexField(
        r"^[a-z0-9_-]+\Z", max_length=longest(Shot, "key"), required=False, widget=forms.HiddenInput
    )
    name = forms.CharField(max_length=longest(Shot, "name"), required=False, label=gettext_lazy("Name"))
    required = forms.BooleanField(
        required=False, initial=True, label=gettext_lazy("Required: without it the inspection is held")
    )
    outline = forms.ChoiceField(choices=OUTLINES, required=False, label=gettext_lazy("Outline"))
    min_side = WholeField(
        **limits(Shot, "min_side"), initial=720, label=gettext_lazy("Shorter side, at least (pixels)")
    )
    min_sharpness = RealField(
        **limits(Shot, "min_sharpness"),
        initial=30,
        label=gettext_lazy("Sharpness, at least"),
        help_text=gettext_lazy(
            "Variance of the Laplacian, as photo pages show it. Below 30 most photos are blurred."
        ),
    )
    min_brightness = RealField(
        **limits(Shot, "min_brightness"), initial=40, label=gettext_lazy("Brightness, at least (0–255)")
    )
    max_brightness = RealField(
        **limits(Shot, "max_brightness"), initial=220, label=gettext_lazy("Brightness, at most (0–255)")
    )
    max_tilt = RealField(
        **limits(Shot, "max_tilt"), required=False, label=gettext_lazy("Tilt, at most (degrees; empty: any)")
    )
    advice = forms.CharField(
        max_length=longest(Shot, "advice"),
        required=False,
        label=gettext_lazy("Advice for whoever takes it again"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    checks = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Checks"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, projects: Sequence[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["checks"]
        assert isinstance(field, forms.MultipleChoiceField)  # narrows the type
        field.choices = [
            (
                each.slug,
                each.name if each.archived_at is None else _("%(name)s (archived)") % {"name": each.name},
            )
            for each in projects
        ]

    def as_shot(self) -> dict[str, Any] | None:
        if not self.cleaned_data.get("name"):
            return None
        return {name: self.cleaned_data[name] for name in (*SHOT_FIELDS, "checks")}


class _Shots(_ShotForms):
    """In the order of their numbers; those to be taken out, and rows left empty, are none."""

    def given(self) -> list[dict[str, Any]]:
        said = []
        for number, row in enumerate(self.forms):
            shot = None if row.cleaned_data.get("DELETE") else row.as_shot()
            if shot is not None:
                place = row.cleaned_data.get("ORDER")
                said.append((number + 1 if place is None else place, number, shot))
        shots = [shot for _place, _number, shot in sorted(said, key=lambda each: each[:2])]
        taken = {shot["key"] for shot in shots}
        for shot in shots:
            if not shot["key"]:
                shot["key"] = key_for(shot["name"][:30], taken, "shot")
                taken.add(shot["key"])
        return shots

    def add_fields(self, form: ShotForm, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["ORDER"].label = _("Number in the order")
        form.fields["DELETE"].label = _("Remove this shot")


_ShotRows = forms.formset_factory(
    ShotForm, formset=_Shots, extra=1, can_order=True, can_delete=True, max_num=MOST_SHOTS, validate_max=True
)


def shot_rows(data: Any, *, projects: Sequence[Project], shots: Sequence[Mapping[str, Any]]) -> _Shots:
    rows = _ShotRows(data, initial=shots, prefix="shots", form_kwargs={"projects": projects})
    assert isinstance(rows, _Shots)  # narrows the type
    return rows
