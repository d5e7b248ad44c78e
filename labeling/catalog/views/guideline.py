"""The classes in use, with criteria and exemplars; the form that makes a new version; the versions so far."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from labeling.catalog import selectors, services
from labeling.catalog.forms.guideline import GuidelineForm
from labeling.catalog.models import ClassDefinition, ClassState
from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, may, project_for
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


@login_required
@require_http_methods(["GET", "POST"])
def guideline(request: HttpRequest, slug: str) -> HttpResponse:
    """Every member may read it; admins change it."""
    project = project_for(request.user, slug, Action.ADMIN if request.method == "POST" else Action.VIEW)
    current = selectors.current_guideline(project)
    definitions = list(selectors.definitions_of(current))
    in_use = [definition for definition in definitions if definition.state == ClassState.ACTIVE]
    form = GuidelineForm(request.POST or None, project=project, guideline=current, definitions=in_use)
    if request.method == "POST" and form.is_valid():
        try:
            version = services.amend_guideline(project=project, by=signed_in(request), **form.amendment())
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(
                request,
                _("Version %(number)s is published. No answer was changed.") % {"number": version.number},
            )
            return redirect("guideline", slug=slug)
    return render(
        request,
        "catalog/guideline.html",
        project_context(
            request,
            project,
            "guideline",
            guideline=current,
            classes=[_shown(definition) for definition in in_use],
            put_away=[definition for definition in definitions if definition.state != ClassState.ACTIVE],
            form=form,
            may_edit=may(request.user, project, Action.ADMIN),
            history=selectors.guideline_history(project),
        ),
        status=422 if form.errors else 200,
    )


def _shown(definition: ClassDefinition) -> dict[str, object]:
    return {
        "definition": definition,
        "exemplars": list(definition.exemplars.all()),
    }
