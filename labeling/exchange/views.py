"""The page of data sets: make one in two clicks, and fetch any of them again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.exchange import selectors, services
from labeling.exchange.formats import FORMATS
from labeling.exchange.forms import DataSetForm
from labeling.explorer.search.chips import said
from labeling.http.refused import refusals_beside
from labeling.people.signed_in import signed_in

SHOWN = 50


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def data_sets(request: HttpRequest, project: Project) -> HttpResponse:
    if request.method != "POST":
        return _page(request, project, DataSetForm(initial={"search": request.GET.get("search", "")}))
    form = DataSetForm(request.POST)
    if form.is_valid():
        with refusals_beside(form):
            services.make_data_set(project=project, by=signed_in(request), **form.cleaned_data)
            messages.success(
                request,
                _("Its photos are looked for and then fixed. Download it here when they are found.")
                if form.cleaned_data["search"]
                else _("The data set is fixed. Download it here, now or later: it stays the same."),
            )
            return redirect("data-sets", slug=project.slug)
    messages.error(request, _("Nothing was made: see the marked fields."))
    return _page(request, project, form, status=422)


def _page(request: HttpRequest, project: Project, form: DataSetForm, *, status: int = 200) -> HttpResponse:
    names = class_names_by_key(current_guideline(project))
    made = [
        (each, FORMATS[each.format], said(project, each.search, names=names))
        for each in selectors.data_sets_of(project)[:SHOWN]
    ]
    shown = {"form": form, "made": made, "choosing": not all(each.ready for each, _format, _said in made)}
    if request.GET.get("fragment"):
        return render(request, "exchange/_made.html", {"project": project, **shown})
    shown["found"] = said(project, form["search"].value() or "", names=names)
    return render(
        request,
        "exchange/data_sets.html",
        project_context(request, project, "data-sets", **shown),
        status=status,
    )
