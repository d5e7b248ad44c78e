"""The classes in use, with criteria and exemplars; the form that makes a new version; the versions so far; objections."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from labeling.catalog import selectors, services
from labeling.catalog.forms.guideline import GuidelineForm
from labeling.catalog.history import guideline_history
from labeling.catalog.meaning import meaning_now
from labeling.catalog.models import ClassDefinition, ClassState
from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, may, project_for
from labeling.catalog.publishing import publishing
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
                _("Version %(number)s is published. No answer was changed.") % {"number": version.number}
                if not version.wording_only
                else _("Version %(number)s is published as another wording. Nothing else changes.")
                % {"number": version.number},
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
            history=guideline_history(project),
            meaning_from=meaning_now(project).number,
            **publishing(request, project),
        ),
        status=422 if form.errors else 200,
    )


@login_required
@require_POST
def guideline_object(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """An admin says that a version which was published as another wording changed the meaning."""
    project = project_for(request.user, slug, Action.ADMIN)
    try:
        services.object_to_wording(
            project=project, number=number, by=signed_in(request), note=request.POST.get("note", "")
        )
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request, _("Version %(number)s counts as a change of meaning now.") % {"number": number}
        )
    return redirect("guideline", slug=slug)


def _shown(definition: ClassDefinition) -> dict[str, object]:
    return {
        "definition": definition,
        "exemplars": list(definition.exemplars.all()),
    }
