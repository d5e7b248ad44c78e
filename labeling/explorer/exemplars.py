"""Photos become exemplars of a class, from the page of one and from the grid of many."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from labeling.catalog.forms.guideline import ExemplarForm
from labeling.catalog.models import Project
from labeling.catalog.services import amend_guideline
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


def made_exemplars(request: HttpRequest, project: Project, form: ExemplarForm) -> bool:
    """Whether a new guideline version shows them; what is wrong stands in the form where not."""
    if not form.is_valid():
        return False
    try:
        amend_guideline(
            project=project,
            by=signed_in(request),
            note=form.cleaned_data["note"],
            more_exemplars={form.cleaned_data["label_class"]: form.cleaned_data["photo"]},
            **form.said(),
        )
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return False
    messages.success(request, _("The photos are exemplars now. A new guideline version says so."))
    return True
