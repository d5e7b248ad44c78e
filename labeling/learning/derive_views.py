"""The page that derives a project from another one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.forms.classes import NewClasses
from labeling.catalog.forms.projects import ProjectForm
from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.http.refused import refusals_beside
from labeling.learning.deriving import derive_project, read_gold
from labeling.learning.training_set import FIRST_A_CLASS, readiness
from labeling.people.signed_in import signed_in
from labeling.truth.tallies import photos


class DeriveForm(ProjectForm):
    only_class = forms.ChoiceField(required=False, label=gettext_lazy("Photos"))
    with_members = forms.BooleanField(
        required=False, label=gettext_lazy("Take the members over, in their roles")
    )
    gold = forms.CharField(
        required=False,
        strip=False,  # lines are counted as they were typed
        label=gettext_lazy("Known answers"),
        help_text=gettext_lazy(
            "Optional. One a line: file name or SHA-256, a comma, and the class's key (its name in small letters). "
            "Names are matched exactly, ending and capital letters included. The answers become gold, which checks "
            "people blind and never trains. Labels that should train are brought in later, on the page Imports."
        ),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, source: Project, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        # Its lines are read, and refused by their number, by read_gold: NUL among them.
        self.fields["gold"].validators = []
        field = self.fields["only_class"]
        assert isinstance(field, forms.ChoiceField)  # narrows the type
        field.choices = [
            ("", _("All photos")),
            *(
                (
                    each.key,
                    _("Only those settled as “%(class)s” (%(n)d)") % {"class": each.name, "n": each.count},
                )
                for each in readiness(source).counts
            ),
        ]


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def derive(request: HttpRequest, project: Project) -> HttpResponse:
    given = request.POST if request.method == "POST" else None
    classes = NewClasses(given)
    checked = given is not None and not classes.more
    form = DeriveForm(given if checked else None, source=project, initial=given)
    if checked and form.is_valid() & classes.is_valid():
        with refusals_beside(form):
            made, _job = derive_project(
                source=project,
                slug=form.cleaned_data["slug"],
                name=form.cleaned_data["name"],
                question=form.cleaned_data["question"],
                description=form.cleaned_data["description"],
                classes=classes.given(),
                by=signed_in(request),
                only_class=form.cleaned_data["only_class"],
                with_members=form.cleaned_data["with_members"],
                gold=read_gold(form.cleaned_data["gold"]),
            )
            messages.success(
                request,
                _("The project is created. Its photos are on their way; nothing is embedded again."),
            )
            return redirect("jobs", slug=made.slug)
    invalid = checked and (bool(form.errors) or not classes.is_valid())
    return render(
        request,
        "learning/derive.html",
        project_context(
            request,
            project,
            "derive",
            form=form,
            classes=classes,
            photos=photos(project),
            first=FIRST_A_CLASS,
        ),
        status=422 if invalid else 200,
    )
