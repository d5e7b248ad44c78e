"""The challenger in the shadow: the models page's last part, and its form."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to
from labeling.catalog.permissions import Action
from labeling.http.refused import refusals_said
from labeling.people.signed_in import signed_in
from labeling.serving import selectors
from labeling.serving.services import set_shadow
from labeling.text.typed_numbers import whole


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def shadow(request: HttpRequest, project: Project) -> HttpResponse:
    if request.method != "POST":
        return render(
            request, "serving/_shadow.html", {"project": project, "shadow": selectors.shadow_panel(project)}
        )
    typed = request.POST.get("version", "")
    with refusals_said(request):
        set_shadow(project=project, by=signed_in(request), number=(whole(typed) or 0) if typed else None)
    return redirect("models", slug=project.slug)
