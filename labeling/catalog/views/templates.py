"""Templates of projects: those that there are, as files, and an own project that becomes one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.catalog.forms.templates import KeepTemplateForm, TemplateFileForm
from labeling.catalog.pages import project_context, show_refusal
from labeling.catalog.permissions import Action, may_create_projects, project_for
from labeling.catalog.project_templates.files import as_response, parse
from labeling.catalog.project_templates.known import PROJECTS
from labeling.catalog.project_templates.of_project import template_of
from labeling.catalog.project_templates.template import read
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


def _let_in(request: HttpRequest) -> None:
    if not may_create_projects(request.user):
        raise PermissionDenied(_("Only the site's administrators found projects. Ask one of them."))


@login_required
@require_http_methods(["GET", "POST"])
def templates(request: HttpRequest) -> HttpResponse:
    """All that there are; a file that is sent becomes one of the site's own."""
    _let_in(request)
    sent = request.method == "POST"
    form = TemplateFileForm(request.POST if sent else None, request.FILES if sent else None)
    wrong: dict[str, Any] = {}
    if sent and form.is_valid():
        try:
            kept = PROJECTS.keep(read(parse(form.content())), by=signed_in(request))
        except Refused as refusal:
            wrong = form.tell(refusal)
        else:
            messages.success(request, _("The template “%(name)s” is kept.") % {"name": kept.said["name"]})
            return redirect("templates")
    return render(
        request,
        "catalog/templates.html",
        {"templates": PROJECTS.all(), "form": form, "wrong": wrong},
        status=422 if form.errors or wrong else 200,
    )


@login_required
@require_GET
def template_file(request: HttpRequest, key: str) -> HttpResponse:
    _let_in(request)
    found = PROJECTS.called(key)
    if found is None:
        raise Http404(_("There is no such template any more."))
    return as_response(found.key, found.content)


@login_required
@require_POST
def template_remove(request: HttpRequest, key: str) -> HttpResponse:
    _let_in(request)
    try:
        PROJECTS.remove(key, by=signed_in(request))
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The template is removed. Projects that were made from it stay."))
    return redirect("templates")


@login_required
@require_http_methods(["GET", "POST"])
def project_template(request: HttpRequest, slug: str) -> HttpResponse:
    """The project as a template: kept in the site, or (``?file``) as a file."""
    project = project_for(request.user, slug, Action.ADMIN)
    if "file" in request.GET and request.method == "GET":
        try:
            made = template_of(project)
            return as_response(made.key, made.content)
        except Refused as refusal:
            messages.error(request, refusal.message)
            return redirect("project-template", slug=slug)
    form = KeepTemplateForm(
        request.POST if request.method == "POST" else None,
        initial={"name": project.name, "key": project.slug},
    )
    if request.method == "POST" and form.is_valid():
        try:
            PROJECTS.keep(template_of(project, **form.cleaned_data), by=signed_in(request))
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("The project is a template now: whoever creates one can choose it."))
            return redirect("project-settings", slug=slug)
    return render(
        request,
        "catalog/project_template.html",
        project_context(request, project, "project-settings", form=form),
        status=422 if form.errors else 200,
    )
