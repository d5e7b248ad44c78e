"""The pages of webhooks: who is told of a project's events, and what became of each. For admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.http.refused import refusals_beside, refusals_said
from labeling.notify import selectors, services
from labeling.notify.forms import EndpointForm
from labeling.notify.kinds import KINDS
from labeling.notify.models import Endpoint
from labeling.notify.unsubscribing import origin_of
from labeling.people.signed_in import signed_in

SHOWN = 50


@open_to(get=Action.ADMIN, post=Action.ADMIN)
@never_cache
def webhooks(request: HttpRequest, project: Project) -> HttpResponse:
    """Making one answers with the page that shows its secret: that is nowhere to be read again."""
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_beside(form):
            made, secret = services.make_endpoint(
                project=project, by=signed_in(request), site=origin_of(request), **form.cleaned_data
            )
            return _one(request, project, made.pk, secret=secret, status=201)
    found = selectors.endpoints_of(project)
    shown = project_context(
        request,
        project,
        "webhooks",
        form=form,
        found=found,
        calls_back=selectors.open_calls_back(project),
        counted=selectors.COUNTED,
        quiet=settings.QUIET,
    )
    return render(request, "notify/webhooks.html", shown, status=422 if form.errors else 200)


@open_to(get=Action.ADMIN, post=Action.ADMIN)
@never_cache
def webhook(request: HttpRequest, project: Project, endpoint_id: UUID) -> HttpResponse:
    endpoint = get_object_or_404(selectors.endpoints_of(project), pk=endpoint_id)
    if request.method != "POST":
        return _one(request, project, endpoint_id)
    by = signed_in(request)
    match request.POST.get("action"):
        case "save":
            return _save(request, project, endpoint)
        case "secret":
            with refusals_said(request):
                secret = services.renew_secret(endpoint=endpoint, by=by)
                return _one(request, project, endpoint_id, secret=secret, status=201)
            return redirect("webhook", slug=project.slug, endpoint_id=endpoint.pk)
        case "test":
            services.send_test(endpoint=endpoint)
            messages.success(request, _("A test is on its way. How it went is in the log below."))
        case "on":
            services.switch_on(endpoint=endpoint, by=by)
        case "off":
            services.switch_off(endpoint=endpoint, by=by)
        case "replay":
            services.replay(delivery=_delivery(request, endpoint))
            messages.success(request, _("The event is sent again, under the same id."))
        case "remove":
            services.remove_endpoint(endpoint=endpoint, by=by)
            messages.success(request, _("The webhook is removed."))
            return redirect("webhooks", slug=project.slug)
        case _other:
            messages.error(request, _("This button is not known. Load the page again."))
    return redirect("webhook", slug=project.slug, endpoint_id=endpoint.pk)


def _save(request: HttpRequest, project: Project, endpoint: Endpoint) -> HttpResponse:
    form = EndpointForm(request.POST)
    if form.is_valid():
        with refusals_beside(form):
            services.change_endpoint(endpoint=endpoint, by=signed_in(request), **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("webhook", slug=project.slug, endpoint_id=endpoint.pk)
    return _one(request, project, endpoint.pk, form=form, status=422)


def _delivery(request: HttpRequest, endpoint: Endpoint) -> Any:
    number = request.POST.get("delivery", "")
    found = None
    if number.isascii() and number.isdigit() and len(number) < 19:
        found = selectors.deliveries_of(endpoint).filter(pk=int(number)).first()
    if found is None:
        raise Http404(_("There is no such delivery: events are kept for some days only."))
    return found


def _one(
    request: HttpRequest, project: Project, endpoint_id: UUID, *, status: int = 200, **more: Any
) -> HttpResponse:
    endpoint = selectors.endpoints_of(project).get(pk=endpoint_id)
    asked = {name: getattr(endpoint, name) for name in ("url", "name", "events")}
    deliveries = [
        (each, KINDS[each.event.kind].title if each.event.kind in KINDS else each.event.kind)
        for each in selectors.deliveries_of(endpoint)[:SHOWN]
    ]
    shown = {
        "endpoint": endpoint,
        "deliveries": deliveries,
        "form": EndpointForm(initial=asked),
        **more,
    }
    return render(
        request, "notify/webhook.html", project_context(request, project, "webhook", **shown), status=status
    )
