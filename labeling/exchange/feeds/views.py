"""The page of addresses from which spreadsheets read tables by themselves."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.exchange.feeds import links
from labeling.exchange.feeds.forms import FeedForm
from labeling.http.refused import refusals_beside
from labeling.people.signed_in import signed_in

SHOWN = 100
PROLONGED = timedelta(days=90)
#: An end that is nearer than this may be put off.
SOON = timedelta(days=30)


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def feeds(request: HttpRequest, project: Project) -> HttpResponse:
    form = FeedForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _page(request, project, form)
    if form.is_valid():
        with refusals_beside(form):
            made = links.make_feed(project=project, by=signed_in(request), **form.asked())
            messages.success(request, _("The address is made. Copy it into your spreadsheet."))
            return redirect(f"{reverse('feeds', args=[project.slug])}?feed={made.pk}")
    return _page(request, project, form, status=422)


@open_to(post=Action.ADMIN)
def feed(request: HttpRequest, project: Project, feed_id: UUID) -> HttpResponse:
    """Revoke it, or let it go on."""
    found = links.feed_of(project, feed_id)
    if request.POST.get("action") == "revoke":
        links.revoke_feed(feed=found, by=signed_in(request))
        messages.success(request, _("The address is revoked: whoever reads it is told so."))
    else:
        links.prolong_feed(feed=found, by=signed_in(request), expires_at=timezone.now() + PROLONGED)
        messages.success(request, _("The address goes on, and stays the same."))
    return redirect("feeds", slug=project.slug)


def _page(request: HttpRequest, project: Project, form: FeedForm, *, status: int = 200) -> HttpResponse:
    made = list(links.feeds_of(project)[:SHOWN])
    chosen = next((each for each in made if str(each.pk) == request.GET.get("feed")), None)
    now = timezone.now()
    context = project_context(
        request,
        project,
        "feeds",
        form=form,
        feeds=made,
        chosen=chosen,
        address=request.build_absolute_uri(reverse("api-feed", args=[links.token_of(chosen)]))
        if chosen
        else "",
        now=now,
        soon=now + SOON,
    )
    return render(request, "exchange/feeds.html", context, status=status)
