"""A new protocol, which begins with a template; the templates that there are, as files; a protocol that becomes one."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.catalog.permissions import Action
from labeling.catalog.projects import free_slug
from labeling.catalog.views import shelves
from labeling.http.refused import refusals_beside
from labeling.http.who_may import Who
from labeling.inspections.models import Protocol
from labeling.inspections.pages import open_to, protocol_context
from labeling.inspections.permissions import of_admin
from labeling.inspections.protocol_templates.creating import create_from_template
from labeling.inspections.protocol_templates.forms import KeepProtocolForm, ProtocolForm
from labeling.inspections.protocol_templates.known import PROTOCOLS
from labeling.inspections.protocol_templates.of_protocol import template_of_protocol
from labeling.inspections.protocol_templates.template import ProtocolTemplate, read
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


@open_to(get=Who.SUPERUSER, post=Who.SUPERUSER)
def protocol_new(request: HttpRequest) -> HttpResponse:
    """``?template=``: what it would make, to be read before; without one, those to choose from."""
    given = request.POST if request.method == "POST" else None
    template = PROTOCOLS.called((given or request.GET).get("template", ""))
    if template is None or (lacking := _lacking(template)):
        if template is not None:
            messages.error(request, lacking)
        return render(request, "inspections/protocol_new.html", {"templates": PROTOCOLS.all()})
    me = signed_in(request)
    form = ProtocolForm(
        given,
        of=template,
        projects=of_admin(me),
        initial={
            "name": template.said["name"],
            "slug": free_slug(template.key, Protocol),
            "template": template.key,
        },
    )
    if form.is_valid():
        with refusals_beside(form):
            protocol = create_from_template(
                template=template,
                by=me,
                slug=form.cleaned_data["slug"],
                name=form.cleaned_data["name"],
                asks=form.asks(),
            )
            messages.success(
                request,
                _("The protocol is created, and each project of its checks that was not there.")
                if any(form.asks().values())
                else _("The protocol and the projects that it asks are created."),
            )
            return redirect("protocol-shots", protocol=protocol.slug)
    return render(
        request,
        "inspections/protocol_new.html",
        {"form": form, "template": template},
        status=422 if form.errors else 200,
    )


def _lacking(template: ProtocolTemplate) -> str:
    """What keeps it from being used now: a project's template that it names was removed since."""
    try:
        _projects = template.projects
    except Refused as refusal:
        return refusal.message
    return ""


@open_to(get=Who.SUPERUSER, post=Who.SUPERUSER)
def protocol_templates(request: HttpRequest) -> HttpResponse:
    """All that there are; a file that is sent becomes one of the site's own."""
    return shelves.list_page(
        request, PROTOCOLS, read, page="inspections/protocol_templates.html", address="protocol-templates"
    )


@open_to(get=Who.SUPERUSER)
def protocol_template_file(request: HttpRequest, key: str) -> HttpResponse:
    return shelves.download(PROTOCOLS, key)


@open_to(post=Who.SUPERUSER)
def protocol_template_remove(request: HttpRequest, key: str) -> HttpResponse:
    told = _("The template is removed. Protocols that were made from it stay.")
    return shelves.remove(request, PROTOCOLS, key, told=told, address="protocol-templates")


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def protocol_template(request: HttpRequest, protocol: Protocol) -> HttpResponse:
    """The protocol as a template: kept in the site, or (``?file``) as a file."""
    sent = request.POST if request.method == "POST" else None
    form = KeepProtocolForm(sent, initial={"name": protocol.name, "key": protocol.slug})
    return shelves.keep_or_download(
        request,
        PROTOCOLS,
        partial(template_of_protocol, protocol),
        form,
        told=_("The protocol is a template now: whoever creates one can choose it."),
        address=reverse("protocol-shots", args=[protocol.slug]),
    ) or render(
        request,
        "inspections/protocol_template.html",
        protocol_context(request, protocol, "protocol-shots", form=form),
        status=422 if form.errors else 200,
    )
