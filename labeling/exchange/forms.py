"""What an admin chooses of a data set. The rules are the service's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.exchange.formats import FORMATS
from labeling.exchange.models import PROMISES, DataSet
from labeling.text.number_fields import WholeField, from_model

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[DataSet]
else:  # at run time the class takes no type argument
    _ModelForm = forms.ModelForm


class DataSetForm(_ModelForm):
    class Meta:
        model = DataSet
        fields = (
            "format",
            "pictures",
            "validation",
            "test",
            "together",
            "value",
            "seed",
            "promise",
            "metadata",
            "search",
        )
        field_classes = {"validation": WholeField, "test": WholeField, "seed": WholeField}
        widgets = {"search": forms.HiddenInput}
        help_texts = {"metadata": _("Names, parted by commas: vehicle, mileage.")}
        formfield_callback = from_model
        labels = {
            "format": _("Format"),
            "pictures": _("Photos"),
            "validation": _("For validation, %"),
            "test": _("For test, %"),
            "together": _("Keep on one side"),
            "value": _("Metadata"),
            "metadata": _("Metadata as columns"),
            "seed": _("Seed"),
            "promise": _("Labels"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"] = forms.ChoiceField(
            label=_("Format"),
            choices=[(name, each.title) for name, each in FORMATS.items()],
            initial="imagefolder",
        )
        self.fields["promise"] = forms.ChoiceField(
            label=_("Labels"),
            required=False,
            choices=[("", _("All that are in force")), *PROMISES],
        )
