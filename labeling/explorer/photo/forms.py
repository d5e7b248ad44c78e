"""What the page of a photo accepts, checked before a service is asked."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import LabelClass
from labeling.text.lengths import longest
from labeling.truth.forms import RulingForm
from labeling.truth.models import Ruling


class MendForm(RulingForm):
    """A ruling that supersedes the ground truth, with the reason why."""

    comment = forms.CharField(
        max_length=longest(Ruling, "comment"),
        error_messages={"required": _("Say why: the reason stays beside the ground truth.")},
    )


class KnownClassForm(forms.Form):
    class_key = forms.CharField(
        max_length=longest(LabelClass, "key"), error_messages={"required": _("Choose a class.")}
    )
