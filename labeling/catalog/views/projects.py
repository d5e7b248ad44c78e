"""Create a project, change its settings."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from labeling.catalog import services
from labeling.catalog.forms.classes import NewClassFormSet
from labeling.catalog.forms.projects import ArchiveForm, ProjectForm, SettingsForm
from labeling.catalog.pages import project_context, show_refusal
from labeling.catalog.permissions import Action, may_create_projects, project_for
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


@login_required
@require_http_methods(["GET", "POST"])
def project_new(request: HttpRequest) -> HttpResponse:
    if not may_create_projects(request.user):
        raise PermissionDenied(_("Only the site's administrators found projects. Ask one of them."))
    given = request.POST if request.method == "POST" else None
    form = ProjectForm(given)
    classes = NewClassFormSet(given, prefix="classes")
    if request.method == "POST" and form.is_valid() & classes.is_valid():
        try:
            project = services.create_project(
                slug=form.cleaned_data["slug"],
                name=form.cleaned_data["name"],
                question=form.cleaned_data["question"],
                description=form.cleaned_data["description"],
                classes=[named for one in classes.forms if (named := one.as_class()) is not None],
                by=signed_in(request),
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("The project is created. Now add some photos."))
            return redirect("intake", slug=project.slug)
    invalid = bool(form.errors) or (request.method == "POST" and not classes.is_valid())
    wrong = list(classes.non_form_errors()) if request.method == "POST" else []
    if request.method == "POST" and not classes.management_form.is_valid():
        classes = NewClassFormSet(prefix="classes")  # rows to write in: what was sent does not say how many
    return render(
        request,
        "catalog/project_new.html",
        {"form": form, "classes": classes, "wrong_rows": wrong},
        status=422 if invalid else 200,
    )


@login_required
@require_http_methods(["GET", "POST"])
def project_settings(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    archiving = request.POST.get("action") == "archive"
    form = SettingsForm(request.POST if request.method == "POST" and not archiving else None, project=project)
    archive = ArchiveForm(request.POST if archiving else None, project=project)
    if archiving and archive.is_valid():
        services.archive_project(project=project, by=signed_in(request))
        messages.success(
            request, _("The project is archived. Nothing of it was deleted; you can bring it back below.")
        )
        return redirect("home")
    if request.method == "POST" and not archiving and form.is_valid():
        try:
            services.update_settings(project=project, by=signed_in(request), **form.changes())
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            if form.has_changed():
                messages.success(request, _("The settings are saved."))
            else:
                messages.info(request, _("Nothing was changed, so nothing was saved."))
            return redirect("project-settings", slug=slug)
    return render(
        request,
        "catalog/project_settings.html",
        project_context(request, project, "project-settings", form=form, archive=archive),
        status=422 if form.errors or archive.errors else 200,
    )


@login_required
@require_POST
def project_restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Bring an archived project back."""
    project = project_for(request.user, slug, Action.ADMIN, archived_too=True)
    try:
        services.restore_project(project=project, by=signed_in(request))
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The project is back, as it was."))
    return redirect("project", slug=slug)
