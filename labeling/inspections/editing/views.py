"""A protocol's shots: looked at, changed, and published as the next version. Its rules have a page of their own."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from labeling.catalog.models import Project, Role
from labeling.catalog.pages import show_refusal
from labeling.catalog.permissions import Action
from labeling.inspections.editing.forms import ProtocolVersionForm, shot_rows
from labeling.inspections.pages import protocol_context
from labeling.inspections.permissions import protocol_for
from labeling.inspections.protocols import described
from labeling.inspections.services import publish_version
from labeling.people.models import User
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


@login_required
@require_http_methods(["GET", "POST"])
def protocol_shots(request: HttpRequest, protocol: str) -> HttpResponse:
    found = protocol_for(request.user, protocol, Action.ADMIN)
    me = signed_in(request)
    projects = _of_admin(me)
    said = described(found.current)
    given = request.POST if request.method == "POST" else None
    form = ProtocolVersionForm(given, protocol=found, projects=projects)
    rows = shot_rows(given, projects=projects, shots=said["shots"])
    if given is not None and form.is_valid() & rows.is_valid():
        try:
            version = publish_version(protocol=found, by=me, shots=rows.given(), **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(
                request,
                _("Version %(number)d is in force. What was photographed before keeps its own.")
                % {"number": version.number},
            )
            return redirect("protocol-shots", protocol=protocol)
    wrong = given is not None and (bool(form.errors) or not rows.is_valid())
    return render(
        request,
        "inspections/shots.html",
        protocol_context(request, found, "protocol-shots", number=said["number"], form=form, rows=rows),
        status=422 if wrong else 200,
    )


def _of_admin(user: User) -> list[Project]:
    """Projects that the person may have ask, by name."""
    mine = Project.objects.for_member(user)
    if not user.is_superuser:
        mine = mine.filter(memberships__user=user, memberships__role=Role.ADMIN)
    return list(mine.distinct().order_by("name", "pk"))
