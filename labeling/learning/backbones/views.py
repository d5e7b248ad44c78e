"""The page on which an admin sees what each backbone costs, adds one and drops one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.learning.backbones import page as backbones_page
from labeling.learning.backbones import services
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


@open_to(get=Action.ADMIN)
def page(request: HttpRequest, project: Project) -> HttpResponse:
    return _page(request, project)


@open_to(get=Action.ADMIN)
def state(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "learning/_backbones.html", {"project": project} | backbones_page.state(project))


@open_to(post=Action.ADMIN)
def change(request: HttpRequest, project: Project) -> HttpResponse:
    """``action``: add, drop or measure the ``backbone``."""
    by, name = signed_in(request), request.POST.get("backbone", "")
    done = {
        "add": _("%(name)s is added. The photos are being embedded with it; this page shows how far it is."),
        "drop": _("%(name)s is dropped. What was embedded with it stays."),
        "measure": _("A worker measures %(name)s on some of the photos. Its pace then stands here."),
    }
    action = request.POST.get("action", "")
    try:
        if action == "add":
            services.add_backbone(project=project, by=by, name=name)
        elif action == "drop":
            services.drop_backbone(project=project, by=by, name=name)
        elif action == "measure":
            services.request_measurement(project=project, by=by, name=name)
        else:
            raise Refused.invalid("action", _("Choose to add, to drop or to measure."))
    except Refused as refusal:
        messages.error(request, " ".join(map(str, refusal.fields.values())) or refusal.message)
        return _page(request, project, status=refusal.status)
    messages.success(request, done[action] % {"name": name})
    return redirect("backbones", slug=project.slug)


def _page(request: HttpRequest, project: Project, *, status: int = 200) -> HttpResponse:
    context = project_context(
        request,
        project,
        "model",  # a page below “Models”, which is the current one
        **backbones_page.state(project),
    )
    return render(request, "learning/backbones.html", context, status=status)
