"""Templates of projects: those that there are, as files, and an own project that becomes one."""

from __future__ import annotations

from functools import partial

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.catalog.forms.templates import KeepTemplateForm
from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, may_create_projects, project_for
from labeling.catalog.project_templates.known import PROJECTS
from labeling.catalog.project_templates.of_project import template_of
from labeling.catalog.project_templates.template import read
from labeling.catalog.views import shelves


def _let_in(request: HttpRequest) -> None:
    if not may_create_projects(request.user):
        raise PermissionDenied(_("Only the site's administrators found projects. Ask one of them."))


@login_required
@require_http_methods(["GET", "POST"])
def templates(request: HttpRequest) -> HttpResponse:
    """All that there are; a file that is sent becomes one of the site's own."""
    _let_in(request)
    return shelves.list_page(request, PROJECTS, read, page="catalog/templates.html", address="templates")


@login_required
@require_GET
def template_file(request: HttpRequest, key: str) -> HttpResponse:
    _let_in(request)
    return shelves.download(PROJECTS, key)


@login_required
@require_POST
def template_remove(request: HttpRequest, key: str) -> HttpResponse:
    _let_in(request)
    told = _("The template is removed. Projects that were made from it stay.")
    return shelves.remove(request, PROJECTS, key, told=told, address="templates")


@login_required
@require_http_methods(["GET", "POST"])
def project_template(request: HttpRequest, slug: str) -> HttpResponse:
    """The project as a template: kept in the site, or (``?file``) as a file."""
    project = project_for(request.user, slug, Action.ADMIN)
    form = KeepTemplateForm(
        request.POST if request.method == "POST" else None,
        initial={"name": project.name, "key": project.slug},
    )
    return shelves.keep_or_download(
        request,
        PROJECTS,
        partial(template_of, project),
        form,
        told=_("The project is a template now: whoever creates one can choose it."),
        address=reverse("project-settings", args=[slug]),
    ) or render(
        request,
        "catalog/project_template.html",
        project_context(request, project, "project-settings", form=form),
        status=422 if form.errors else 200,
    )
