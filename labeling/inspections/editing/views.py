"""A protocol's shots: looked at, changed, and published as the next version. Its rules have a page of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.http.refused import show_refusal
from labeling.inspections.editing.differing import differences
from labeling.inspections.editing.forms import ProtocolVersionForm, shot_rows
from labeling.inspections.models import Protocol
from labeling.inspections.pages import open_to, protocol_context
from labeling.inspections.permissions import of_admin
from labeling.inspections.protocols import described
from labeling.inspections.services import archive_protocol, publish_version, restore_protocol
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.text.typed_numbers import whole


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def protocol_shots(request: HttpRequest, protocol: Protocol) -> HttpResponse:
    me = signed_in(request)
    given = request.POST.copy() if request.method == "POST" else None
    current = protocol.current
    edited = whole(given.get("expected", "")) if given else None
    said = described((edited and protocol.versions.filter(number=edited).first()) or current)
    projects = of_admin(me)
    projects += _archived(said, projects)
    moved: tuple[int, list[str]] | None = None
    form = ProtocolVersionForm(given, protocol=protocol, projects=projects)
    rows = shot_rows(given, projects=projects, shots=said["shots"])
    if given is not None and form.is_valid() & rows.is_valid():
        try:
            version = publish_version(protocol=protocol, by=me, shots=rows.given(), **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
            if refusal.code == "version_moved":
                current = protocol.current
                moved = (current.number, differences(said, described(current)))
                # Whoever has read that and publishes again means it.
                given["expected"] = str(current.number)
        else:
            messages.success(
                request,
                _("Version %(number)d is in force. What was photographed before keeps its own.")
                % {"number": version.number},
            )
            return redirect("protocol-shots", protocol=protocol.slug)
    wrong = given is not None and (bool(form.errors) or not rows.is_valid())
    return render(
        request,
        "inspections/shots.html",
        protocol_context(
            request, protocol, "protocol-shots", number=current.number, form=form, rows=rows, moved=moved
        ),
        status=422 if wrong else 200,
    )


def _archived(said: Mapping[str, Any], there: Sequence[Project]) -> list[Project]:
    """Projects that the version asks and that were put away since: they stay until somebody takes them out."""
    asked = {slug for shot in said["shots"] for slug in shot["checks"]} - {each.slug for each in there}
    return list(Project.objects.filter(slug__in=asked).order_by("name", "pk"))


@open_to(post=Action.ADMIN)
def protocol_archive(request: HttpRequest, protocol: Protocol) -> HttpResponse:
    """``action=archive`` puts it away, anything else brings it back."""
    if request.POST.get("action") == "archive":
        archive_protocol(protocol=protocol, by=signed_in(request))
        messages.success(request, _("The protocol is archived. Nothing of it was deleted."))
    else:
        restore_protocol(protocol=protocol, by=signed_in(request))
        messages.success(request, _("The protocol takes inspections again, and its links go on."))
    return redirect("protocol", protocol=protocol.slug)
