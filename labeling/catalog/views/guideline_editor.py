"""The guideline's editor: all classes in one form, published as one version. Of many classes, those that are opened."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog import selectors, services
from labeling.catalog.forms.guideline import ClassForm, GuidelineForm
from labeling.catalog.groups import FEW, by_group, found, groups_of
from labeling.catalog.models import ClassDefinition, Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.publishing import publishing
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused

#: Classes that a search opens at once.
OPENED = 10


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def guideline_edit(request: HttpRequest, project: Project) -> HttpResponse:
    """``?find=``: opens the classes whose names have this, where not all are open."""
    current = selectors.current_guideline(project)
    in_use = selectors.active_definitions(project)
    find = request.GET.get("find", "").strip()
    form = GuidelineForm(
        request.POST if request.method == "POST" else None,
        project=project,
        guideline=current,
        definitions=in_use,
        opened=_opened(in_use, find),
    )
    if request.method == "POST" and form.is_valid():
        try:
            version = services.amend_guideline(project=project, by=signed_in(request), **form.amendment())
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(
                request,
                _("Version %(number)s is published. No answer was changed.") % {"number": version.number}
                if not version.wording_only
                else _("Version %(number)s is published as another wording. Nothing else changes.")
                % {"number": version.number},
            )
            return redirect("guideline", slug=project.slug)
    rows = [(each, form.by_key.get(each.label_class.key)) for each in in_use]
    return render(
        request,
        "catalog/guideline_edit.html",
        project_context(
            request,
            project,
            "guideline",
            guideline=current,
            form=form,
            groups=by_group(rows, lambda row: row[0]),
            names_of_groups=groups_of(in_use),
            many=len(in_use) > FEW,
            find=find,
            **publishing(request, project),
        ),
        status=422 if form.errors else 200,
    )


def _opened(in_use: list[ClassDefinition], find: str) -> Collection[str]:
    if len(in_use) <= FEW:
        return {each.label_class.key for each in in_use}
    return {each.label_class.key for each in found(in_use, find)[:OPENED]} if find else ()


@open_to(get=Action.ADMIN)
def guideline_edit_class(request: HttpRequest, project: Project, class_key: str) -> HttpResponse:
    """The fields of one class, for a page that has it folded."""
    in_use = selectors.active_definitions(project)
    definition = next((each for each in in_use if each.label_class.key == class_key), None)
    if definition is None:
        raise Http404(_("No class in use has this key."))
    form = ClassForm(None, project=project, definition=definition, others=in_use)
    return render(request, "catalog/_class_fields.html", {"class": form})
