"""The page on which an admin imports a model: send it, say what its columns are, see what it says of photos, take it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.http.refused import refusals_beside, refusals_said
from labeling.learning.importing import page, services
from labeling.learning.importing.forms import SendForm, TryForm
from labeling.people.signed_in import signed_in


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def model(request: HttpRequest, project: Project) -> HttpResponse:
    form = SendForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and form.is_valid():
        with refusals_beside(form):
            services.send_model(project=project, by=signed_in(request), **form.cleaned_data)
            return redirect("model-import", slug=project.slug)
    if request.GET.get("part") == "progress":
        return render(request, "learning/_model_progress.html", {"project": project} | page.state(project))
    return _page(request, project, send=form)


@open_to(post=Action.ADMIN)
def step(request: HttpRequest, project: Project, job_id: UUID) -> HttpResponse:
    """``action``: try the model that this job looked at, or take it as it was tried."""
    by = signed_in(request)
    look, action = services.look_of(project, job_id), request.POST.get("action", "")
    draft = page.state(project)["draft"]
    if action == "take":
        with refusals_said(request):
            services.take_model(look=look, project=project, by=by)
    elif action == "try" and draft is not None and draft.look == look:
        form = TryForm(project, draft.columns, draft.asked, request.POST)
        if form.is_valid():
            with refusals_beside(form):
                services.try_model(look=look, project=project, by=by, **form.asked())
        if form.errors:
            return _page(request, project, form=form)
    else:
        messages.error(
            request, _("Another file was sent since, or this button is not known. Here is how it stands.")
        )
    return redirect("model-import", slug=project.slug)


def _page(
    request: HttpRequest, project: Project, *, send: SendForm | None = None, form: TryForm | None = None
) -> HttpResponse:
    state = page.state(project)
    draft = state["draft"]
    if form is None and draft is not None:
        form = TryForm(project, draft.columns, draft.asked)
    errors = bool((send and send.errors) or (form and form.errors))
    context = project_context(
        request,
        project,
        "model",  # a page below “Models”, which is the current one
        send=send or SendForm(),
        form=form,
        **state,
    )
    return render(request, "learning/model_import.html", context, status=422 if errors else 200)
