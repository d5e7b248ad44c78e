"""Create a project, change its settings."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import floatformat
from django.utils.translation import gettext as _

from labeling.catalog import services
from labeling.catalog.forms.classes import NewClasses
from labeling.catalog.forms.projects import ArchiveForm, ProjectForm, SettingsForm
from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action, project_for
from labeling.catalog.project_templates.known import PROJECTS
from labeling.catalog.project_templates.template import ProjectTemplate
from labeling.catalog.projects import free_slug
from labeling.catalog.selectors import active_definitions
from labeling.catalog.strictness import PRESETS, consequence, error_of, preset_called
from labeling.catalog.work import work_of
from labeling.http.refused import refusals_beside, refusals_said
from labeling.http.who_may import Who, pages
from labeling.people.signed_in import signed_in
from labeling.text.percentage import with_sign


@open_to(get=Who.SUPERUSER, post=Who.SUPERUSER)
def project_new(request: HttpRequest) -> HttpResponse:
    """``?template=``: the fields are filled as it says, and looked at before anything is created."""
    given = request.POST if request.method == "POST" else None
    template = PROJECTS.called((given or request.GET).get("template", ""))
    ready = template.as_project() if template else {}
    classes = NewClasses(given, ready.get("classes", ()))
    form = ProjectForm(None if classes.more else given, initial=given or _typed(template, ready))
    checked = given is not None and not classes.more
    if checked and form.is_valid() & classes.is_valid():
        with refusals_beside(form):
            if form.cleaned_data["template"]:
                template = PROJECTS.called_or_refused(form.cleaned_data["template"])
            project = services.create_project(
                slug=form.cleaned_data["slug"],
                name=form.cleaned_data["name"],
                question=form.cleaned_data["question"],
                description=form.cleaned_data["description"],
                classes=classes.given(),
                by=signed_in(request),
                **(template.settings if template else {}),
            )
            messages.success(request, _("The project is created. Now add some photos."))
            return redirect("intake", slug=project.slug)
    invalid = checked and (bool(form.errors) or not classes.is_valid())
    return render(
        request,
        "catalog/project_new.html",
        {
            "form": form,
            "classes": classes,
            "template": template,
            "templates": [] if template or given else PROJECTS.all(),
        },
        status=422 if invalid else 200,
    )


def _typed(template: ProjectTemplate | None, ready: dict[str, Any]) -> dict[str, Any]:
    """What stands in the fields of a new project at first."""
    if template is None:
        return {}
    return {**ready, "slug": free_slug(template.key), "template": template.key}


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def project_settings(request: HttpRequest, project: Project) -> HttpResponse:
    """``?preset=``: the fields are filled as it says, and the page shows what saving them would change."""
    archiving = request.POST.get("action") == "archive"
    saving = request.method == "POST" and not archiving
    preset = None if saving else preset_called(request.GET.get("preset", ""))
    form = SettingsForm(request.POST if saving else None, project=project, preset=preset)
    archive = ArchiveForm(request.POST if archiving else None, project=project)
    if archiving and archive.is_valid():
        services.archive_project(project=project, by=signed_in(request))
        messages.success(
            request, _("The project is archived. Nothing of it was deleted; you can bring it back below.")
        )
        return redirect("home")
    if saving and form.is_valid():
        with refusals_beside(form):
            services.update_settings(project=project, by=signed_in(request), **form.changes())
            if form.has_changed():
                messages.success(request, _("The settings are saved."))
            else:
                messages.info(request, _("Nothing was changed, so nothing was saved."))
            return redirect("project-settings", slug=project.slug)
    return render(
        request,
        "catalog/project_settings.html",
        project_context(
            request,
            project,
            "project-settings",
            form=form,
            archive=archive,
            preset=preset,
            changes=[
                (form[name].label, form.shown(name, getattr(project, name)), form.shown(name, value))
                for name, value in (preset.differs(project) if preset else {}).items()
            ],
            **_choices(project),
        ),
        status=422 if form.errors or archive.errors else 200,
    )


def _percent(share: float) -> str:
    return with_sign(floatformat(100 * share, 1))


def _choices(project: Project) -> dict[str, Any]:
    """The presets with what each would come to here, and what the settings come to as they are."""
    work = work_of(project)
    classes = len(active_definitions(project))
    return {
        "work": work,
        "agree": _percent(work.agree),
        "wrong": _percent(error_of(work.agree, classes)),
        "now": consequence(project, {}, work, classes),
        "presets": [
            (each, consequence(project, each.settings, work, classes), not each.differs(project))
            for each in PRESETS
        ],
        "own": all(each.differs(project) for each in PRESETS),
    }


@pages({"slug": ("project", partial(project_for, archived_too=True))})(post=Action.ADMIN)
def project_restore(request: HttpRequest, project: Project) -> HttpResponse:
    """Bring an archived project back."""
    with refusals_said(request):
        services.restore_project(project=project, by=signed_in(request))
        messages.success(request, _("The project is back, as it was."))
    return redirect("project", slug=project.slug)
