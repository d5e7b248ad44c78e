"""Templates of projects: those that there are, as files, and an own project that becomes one."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.catalog.forms.templates import KeepTemplateForm
from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.project_templates.known import PROJECTS
from labeling.catalog.project_templates.of_project import template_of
from labeling.catalog.project_templates.template import read
from labeling.catalog.views import shelves
from labeling.http.who_may import Who


@open_to(get=Who.SUPERUSER, post=Who.SUPERUSER)
def templates(request: HttpRequest) -> HttpResponse:
    """All that there are; a file that is sent becomes one of the site's own."""
    return shelves.list_page(request, PROJECTS, read, page="catalog/templates.html", address="templates")


@open_to(get=Who.SUPERUSER)
def template_file(request: HttpRequest, key: str) -> HttpResponse:
    return shelves.download(PROJECTS, key)


@open_to(post=Who.SUPERUSER)
def template_remove(request: HttpRequest, key: str) -> HttpResponse:
    told = _("The template is removed. Projects that were made from it stay.")
    return shelves.remove(request, PROJECTS, key, told=told, address="templates")


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def project_template(request: HttpRequest, project: Project) -> HttpResponse:
    """The project as a template: kept in the site, or (``?file``) as a file."""
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
        address=reverse("project-settings", args=[project.slug]),
    ) or render(
        request,
        "catalog/project_template.html",
        project_context(request, project, "project-settings", form=form),
        status=422 if form.errors else 200,
    )
