"""The guideline: to be read by every member, with its versions so far; and objections to what was said of one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog import selectors, services
from labeling.catalog.codes import codes_of
from labeling.catalog.groups import FEW, by_group, found
from labeling.catalog.history import guideline_history
from labeling.catalog.meaning import meaning_now
from labeling.catalog.models import ClassState, Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.proposals import proposals_shown
from labeling.catalog.publishing import publishing
from labeling.http.refused import refusals_said
from labeling.people.signed_in import signed_in
from labeling.text.typed_numbers import whole

#: Versions on the page until somebody asks for the earlier ones, and then.
NEWEST, EARLIER = 5, 30


@open_to(get=Action.VIEW)
def guideline(request: HttpRequest, project: Project) -> HttpResponse:
    """``?find=``: classes whose names have this; ``?versions=all``: the earlier ones too."""
    current = selectors.current_guideline(project)
    definitions = list(selectors.definitions_of(current))
    codes = codes_of(definitions)
    in_use = [each for each in definitions if each.state == ClassState.ACTIVE]
    find = request.GET.get("find", "")
    limit = EARLIER if request.GET.get("versions") == "all" else NEWEST
    history = guideline_history(project, limit=limit)
    classes = [
        {
            "definition": each,
            "code": codes[each.label_class_id],
            "exemplars": list(each.exemplars.all()),
        }
        for each in (found(in_use, find) if find.strip() else in_use)
    ]
    context = project_context(request, project, "guideline")
    context |= {
        "guideline": current,
        "groups": by_group(classes, _definition),
        "folded": len(in_use) > FEW,
        "find": find.strip(),
        "all_classes": len(in_use),
        "shown_classes": len(classes),
        "put_away": [each for each in definitions if each.state != ClassState.ACTIVE],
        "may_edit": Action.ADMIN in context["can"],
        "proposals": proposals_shown(project, current) if Action.REVIEW in context["can"] else None,
        "history": history,
        "has_earlier": limit == NEWEST and current.number > len(history),
        "meaning_from": meaning_now(project).number,
        **publishing(request, project),
    }
    return render(request, "catalog/guideline.html", context)


def _definition(row: dict[str, Any]) -> Any:
    return row["definition"]


@open_to(post=Action.ADMIN)
def proposal_answer(request: HttpRequest, project: Project, proposal_id: int) -> HttpResponse:
    """An admin agrees to a proposed change (``answer=agree``, under the version ``base`` that they read), or declines it."""
    by = signed_in(request)
    with refusals_said(request):
        if request.POST.get("answer") == "agree":
            base = whole(request.POST.get("base", ""))
            version = services.agree_to_proposal(
                project=project, proposal_id=proposal_id, by=by, expected=base
            )
            said = _("Version %(number)s is published. No answer was changed.") % {"number": version.number}
        else:
            note = request.POST.get("note", "")
            services.decline_proposal(project=project, proposal_id=proposal_id, by=by, note=note)
            said = _("The proposal is declined. Whoever made it reads why on this page.")
        messages.success(request, said)
    return redirect("guideline", slug=project.slug)


@open_to(post=Action.ADMIN)
def guideline_object(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """An admin says that a version which was published as another wording changed the meaning."""
    with refusals_said(request):
        services.object_to_wording(
            project=project, number=number, by=signed_in(request), note=request.POST.get("note", "")
        )
        messages.success(
            request, _("Version %(number)s counts as a change of meaning now.") % {"number": number}
        )
    return redirect("guideline", slug=project.slug)
