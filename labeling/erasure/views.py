"""The page of erasures: ask for one, on a page that says what goes and what stays; bring it back; see how far it is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.erasure import selectors, services
from labeling.erasure.consequences import foreseen
from labeling.erasure.forms import AskForm, LiftForm, ScopeForm
from labeling.erasure.models import ErasedPhoto
from labeling.explorer.photo.history import history
from labeling.http.refused import refusals_beside, refusals_said
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused

SHOWN = 50


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def erasures(request: HttpRequest, project: Project) -> HttpResponse:
    """All requests; and, where the address says which photos, what would go with them."""
    if request.method == "POST":
        return _ask(request, project)
    form = ScopeForm(request.GET if "scope" in request.GET else None, project=project)
    going, more, status = None, False, 200
    if form.is_bound and form.is_valid():
        try:
            going, more = foreseen(project, by=signed_in(request), **form.asked())
        except Refused as refusal:
            form.add_error(None, refusal.message)
    if form.errors:
        status = 422
    return _page(request, project, form=form, going=going, more=more, status=status)


def _ask(request: HttpRequest, project: Project) -> HttpResponse:
    form = AskForm(request.POST, project=project)
    if form.is_valid():
        with refusals_beside(form):
            made = services.ask(
                project=project,
                by=signed_in(request),
                reason=form.cleaned_data["reason"],
                days=form.cleaned_data["days"],
                **form.asked(),
            )
            messages.success(
                request, _("The photos are out of the project. While it is time, you can bring them back.")
            )
            return redirect("erasure", slug=project.slug, erasure_id=made.pk)
    messages.error(request, _("Nothing was erased: see the marked fields."))
    return _page(request, project, form=form, status=422)


def _page(
    request: HttpRequest, project: Project, *, form: ScopeForm, status: int = 200, **more: Any
) -> HttpResponse:
    context = project_context(
        request,
        project,
        "erasures",
        form=form,
        ask=form if isinstance(form, AskForm) else AskForm(project=project),
        lift=LiftForm(),
        made=selectors.erasures_of(project)[:SHOWN],
        **more,
    )
    return render(request, "erasure/erasures.html", context, status=status)


@open_to(get=Action.ADMIN)
def erasure(request: HttpRequest, project: Project, erasure_id: UUID) -> HttpResponse:
    """One request: what it took, what stays of it, and what learned from it."""
    made = selectors.erasure_of(project, erasure_id)
    page = Paginator(selectors.photos_of_erasure(made), SHOWN).get_page(request.GET.get("page"))
    context = project_context(request, project, "erasures", made=made, photos=page)
    return render(request, "erasure/erasure.html", context)


@open_to(get=Action.ADMIN)
def record(request: HttpRequest, project: Project, item_id: int) -> HttpResponse:
    """What is left of a photo that was erased: a record without content."""
    row = (
        ErasedPhoto.objects.filter(
            erasure__project=project, item=min(item_id, 2**63 - 1), back_at__isnull=True
        )
        .select_related("erasure", "item__image")
        .first()
    )
    if row is None:
        raise Http404(_("No such photo was erased from this project."))
    # One that may come back may yet be asked about, blind.
    told = row.gone_at is not None
    moments = history(project, row.item, told=told, gold=told)
    context = project_context(request, project, "erasures", row=row, moments=moments)
    return render(request, "erasure/record.html", context)


@open_to(post=Action.ADMIN)
def undo(request: HttpRequest, project: Project, erasure_id: UUID) -> HttpResponse:
    made = selectors.erasure_of(project, erasure_id)
    with refusals_said(request):
        services.undo(erasure=made, by=signed_in(request))
        messages.success(request, _("The photos are back, as they were."))
    return redirect("erasure", slug=project.slug, erasure_id=erasure_id)


@open_to(post=Action.ADMIN)
def lift(request: HttpRequest, project: Project) -> HttpResponse:
    """Let a photo in again that was erased."""
    form = LiftForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A SHA-256 is 64 digits and letters from a to f."))
    else:
        with refusals_said(request):
            services.lift(project=project, sha256=form.cleaned_data["sha256"], by=signed_in(request))
            messages.success(request, _("This photo may come in again: take it in as any other."))
    return redirect("erasures", slug=project.slug)
