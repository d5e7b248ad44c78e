"""The pages of imports: send a file, then say what it means, look at what would happen, bring it in, or take it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.exchange.imports import selectors, services
from labeling.exchange.imports.forms import MapForm, SendForm
from labeling.exchange.imports.readers import READERS
from labeling.exchange.models import Import, ImportState, Outcome, Use
from labeling.http.refused import refusals_beside, refusals_said
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused

SHOWN = 50
#: Rows of one outcome on the page; the API lists them all.
ROWS = 100


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def imports(request: HttpRequest, project: Project) -> HttpResponse:
    form = SendForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and form.is_valid():
        with refusals_beside(form):
            given = form.cleaned_data
            of, _job = services.start_import(
                project=project, by=signed_in(request), **given | {"use": given["use"] or Use.ANSWER}
            )
            return redirect("import", slug=project.slug, import_id=of.pk)
    return render(
        request,
        "exchange/imports.html",
        project_context(
            request,
            project,
            "imports",
            form=form,
            formats=[reader.title for reader in READERS.values()],
            imports=selectors.imports_of(project)[:SHOWN],
        ),
        status=422 if form.errors else 200,
    )


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def one_import(request: HttpRequest, project: Project, import_id: UUID) -> HttpResponse:
    of = selectors.import_of(project, import_id)
    form = MapForm(of, project, request.POST if request.POST.get("action") == "map" else None)
    if request.method == "POST" and _act(request, of, form):
        return redirect("import", slug=project.slug, import_id=import_id)
    report = selectors.report(of)
    if request.GET.get("part") == "progress":
        return render(request, "exchange/_import_progress.html", {"project": project, "report": report})
    chosen = request.GET.get("outcome", "")
    outcome = chosen if chosen in Outcome.values else _first(report.counts)
    rows = selectors.rows_of(of, outcome)[:ROWS]
    return render(
        request,
        "exchange/import.html",
        project_context(
            request,
            project,
            "import",
            report=report,
            of=of,
            form=form,
            reader=READERS[of.format].title if of.format else "",
            may_change=of.state in (ImportState.READY, ImportState.READING, ImportState.UNDONE),
            outcomes=[
                (each.value, each.label, report.counts[each]) for each in Outcome if report.counts[each]
            ],
            outcome=outcome,
            rows=[(row, selectors.why(row)) for row in rows],
            unlisted=max(0, report.counts.get(outcome, 0) - ROWS),
        ),
        status=422 if form.errors else 200,
    )


def _first(counts: dict[str, int]) -> str:
    """What is to be looked at first: what cannot come in."""
    order = (Outcome.REFUSED, Outcome.READY, Outcome.DONE, *Outcome)
    return next((outcome.value for outcome in order if counts[outcome]), Outcome.REFUSED.value)


def _act(request: HttpRequest, of: Import, form: MapForm) -> bool:
    """Do what a button says; False where the form must be shown again."""
    by = signed_in(request)
    steps: dict[str, Any] = {
        "check": services.check_import,
        "apply": services.apply_import,
        "undo": services.undo_import,
        "stop": services.cancel_import,
        "photos": services.take_photos_in,
    }
    action = request.POST.get("action", "")
    with refusals_said(request):
        if action == "map":
            if not form.is_valid():
                messages.error(request, _("Nothing was changed: see the marked fields."))
                return False
            services.change_import(of=of, by=by, **form.asked())
        elif action in steps:
            steps[action](of=of, by=by)
            if action == "photos":
                messages.success(
                    request,
                    _("The photos are on their way. Look again when they are in: see the page Intake."),
                )
        else:
            raise Refused.invalid(None, _("This button is not known. Load the page again."))
    return True
