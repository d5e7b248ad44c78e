"""What an admin sends of a model, and says of it. The rules are the service's and the worker's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes
from labeling.learning.importing.services import LEAST_SIDE, LONGEST_LICENCE, MOST_SIDE
from labeling.text.typed_numbers import real

#: Choice of a column of which nobody has said anything yet.
UNSAID = "?"


class SendForm(forms.Form):
    model = forms.FileField(
        label=_("Model (.onnx)"),
        allow_empty_file=True,
        help_text=_(
            "An image classifier in one file of at most 1\u00a0GB, weights included, of ONNX's own operations. It takes "
            "photos as (n, 3, side, side) or (n, side, side, 3), and gives (n, classes)."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".onnx"}),
    )
    preprocessor = forms.FileField(
        label=_("preprocessor_config.json (optional)"),
        required=False,
        allow_empty_file=True,
        help_text=_(
            "Of Hugging Face: says how photos are shown to it. Without it that is proposed, and you can change it."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".json"}),
    )


class Three(forms.CharField):
    """Three numbers: of red, green and blue; or one for all."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        numbers = [real(each) for each in re.split(r",?\s+|[,;]", text.strip()) if each]
        found = [each for each in numbers if each is not None]
        if len(found) != len(numbers) or len(found) not in (1, 3):
            raise forms.ValidationError(
                _("Type three numbers, as 0.485, 0.456, 0.406, or one for all colours.")
            )
        return found * (3 // len(found))


class TryForm(forms.Form):
    """``columns``: what the file calls each column. ``asked``: what was said of them before, or is proposed."""

    size = forms.IntegerField(
        min_value=LEAST_SIDE,
        max_value=MOST_SIDE,
        label=_("Size of its input, pixels"),
        help_text=_("Side of the square that the network takes."),
    )
    fit = forms.ChoiceField(
        label=_("A photo becomes a square by"),
        choices=[("crop", _("cutting out its middle")), ("squash", _("squeezing all of it"))],
    )
    resize = forms.IntegerField(
        min_value=LEAST_SIDE,
        max_value=MOST_SIDE,
        required=False,
        label=_("Shorter side before the cut, pixels"),
        help_text=_("For example 256 for a square of 224. Empty: the square's side."),
    )
    mean = Three(
        label=_("Mean"),
        max_length=100,
        help_text=_(
            "Of red, green and blue, of values from 0 to 1. Usual: 0.485, 0.456, 0.406 (ImageNet); 0.5 (from −1 to 1); 0 "
            "(none)."
        ),
    )
    std = Three(
        label=_("Standard deviation"),
        max_length=100,
        help_text=_("Usual: 0.229, 0.224, 0.225 (ImageNet); 0.5 (from −1 to 1); 1 (none)."),
    )
    interpolation = forms.ChoiceField(
        label=_("Interpolation"), choices=[("bilinear", _("bilinear")), ("bicubic", _("bicubic"))]
    )
    says = forms.ChoiceField(
        label=_("Its columns are"),
        choices=[
            ("auto", _("found out by a trial")),
            ("logits", _("logits")),
            ("probabilities", _("probabilities")),
        ],
    )
    licence = forms.CharField(
        max_length=LONGEST_LICENCE,
        required=False,
        label=_("Licence of its weights"),
        help_text=_("A note that stays with the version."),
    )

    def __init__(
        self, project: Project, columns: Sequence[str], asked: Mapping[str, Any], data: Any = None
    ) -> None:
        initial = {name: asked[name] for name in ("size", "interpolation", "says", "licence")}
        initial["resize"] = None if asked["resize"] == asked["size"] else asked["resize"]
        initial |= {name: ", ".join(f"{each:g}" for each in asked[name]) for name in ("mean", "std")}
        super().__init__(data, initial=initial | {"fit": "squash" if asked["squash"] else "crop"})
        choices = [
            (UNSAID, _("Choose")),
            *((each.label_class.key, each.name) for each in active_classes(project)),
            ("", _("Leave out")),
        ]
        self._columns = [f"class-{number}" for number in range(len(columns))]
        for name, label, key in zip(self._columns, columns, asked["classes"], strict=True):
            self.fields[name] = forms.ChoiceField(
                label=label, choices=choices, required=False, initial=UNSAID if key is None else key
            )

    @property
    def columns(self) -> list[forms.BoundField]:
        return [self[name] for name in self._columns]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for name in self._columns:
            if given.get(name) == UNSAID:
                self.add_error(name, _("Choose a class, or leave the column out."))
        return given

    def asked(self) -> dict[str, Any]:
        """For :func:`~labeling.learning.importing.services.try_model`."""
        given = self.cleaned_data
        names = ("size", "resize", "mean", "std", "interpolation", "says", "licence")
        return {name: given[name] for name in names} | {
            "squash": given["fit"] == "squash",
            "classes": [given[name] for name in self._columns],
        }
