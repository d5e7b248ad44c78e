"""The page of one photo: its history, what may be done with it, and its file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from labeling.catalog import missing, storage
from labeling.catalog.forms.guideline import ExemplarForm
from labeling.catalog.metadata.values import LONGEST_NAME, LONGEST_TEXT
from labeling.catalog.models import Item, Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action, may
from labeling.catalog.publishing import publishing
from labeling.catalog.selectors import active_definitions
from labeling.catalog.services import put_metadata
from labeling.explorer.exemplars import made_exemplars
from labeling.explorer.photo import mending
from labeling.explorer.photo.forms import KnownClassForm, MendForm
from labeling.explorer.photo.page import item_of, photo_page
from labeling.explorer.spaces import alike
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.truth.forms import first_error
from labeling.truth.models import HoldReason, Outcome, UnusableReason
from labeling.truth.services import add_gold


@open_to(get=Action.REVIEW)
def photo(request: HttpRequest, project: Project, item_id: int) -> HttpResponse:
    try:
        item = _item(project, item_id)
    except Http404:
        if may(request.user, project, Action.ADMIN) and _was_erased(item_id):
            return redirect("erased-photo", slug=project.slug, item_id=item_id)
        raise
    return _page(request, project, item)


#: Photos that are shown beside one.
MOST_ALIKE = 12


@open_to(get=Action.REVIEW)
def similar(request: HttpRequest, project: Project, item_id: int) -> HttpResponse:
    """A part of the photo's page that comes behind it: what looks most like it."""
    item = _item(project, item_id)
    context = {"project": project, "item": item, "alike": alike(project, item, MOST_ALIKE)}
    return render(request, "explorer/_similar.html", context)


@open_to(post=Action.REVIEW)
def mend(request: HttpRequest, project: Project, item_id: int) -> HttpResponse:
    """Correct the ground truth, or have people asked again. What is refused keeps what was typed."""
    item = _item(project, item_id)
    form = MendForm(request.POST)
    if not form.is_valid():
        return _page(request, project, item, status=422, error=first_error(form), kept=request.POST)
    try:
        made = mending.mend(project=project, item=item, by=signed_in(request), **form.ruled())
    except Refused as refused:
        return _page(request, project, item, status=refused.status, error=refused.message, kept=request.POST)
    messages.success(
        request,
        _("People are asked again. What they said before stays in the history.")
        if made.outcome == Outcome.SEND_BACK
        else _("Corrected. What it was called before stays in the history."),
    )
    return redirect("photo-page", slug=project.slug, item_id=item_id)


@open_to(post=Action.ADMIN)
def gold(request: HttpRequest, project: Project, item_id: int) -> HttpResponse:
    item = _item(project, item_id)
    form = KnownClassForm(request.POST)
    if not form.is_valid():
        return _page(request, project, item, status=422, error=first_error(form))
    try:
        add_gold(project=project, item=item, by=signed_in(request), class_key=form.cleaned_data["class_key"])
    except Refused as refused:
        return _page(request, project, item, status=refused.status, error=refused.message)
    messages.success(request, _("The photo is gold: people are asked about it, blind, to check them."))
    return redirect("photo-page", slug=project.slug, item_id=item_id)


@open_to(post=Action.ADMIN)
def metadata(request: HttpRequest, project: Project, item_id: int) -> HttpResponse:
    """Say one value of the photo's metadata; an empty one takes it away."""
    item = _item(project, item_id)
    given = {request.POST.get("name", ""): request.POST.get("value", "")}
    try:
        put_metadata(project=project, item_id=item.pk, given=given, by=signed_in(request))
    except Refused as refused:
        return _page(request, project, item, status=refused.status, error=refused.message, kept=request.POST)
    return redirect("photo-page", slug=project.slug, item_id=item_id)


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def exemplar(request: HttpRequest, project: Project, item_id: int) -> HttpResponse:
    """Make the photo an exemplar: a new guideline version, on a page that says what that costs."""
    item = _item(project, item_id)
    definitions = active_definitions(project)
    form = ExemplarForm(definitions=definitions)
    if request.method == "POST":
        given = request.POST.copy()
        given.setlist("photo", [item.image.sha256])
        form = ExemplarForm(given, definitions=definitions)
        if made_exemplars(request, project, form):
            return redirect("photo-page", slug=project.slug, item_id=item_id)
    return render(
        request,
        "explorer/exemplar.html",
        project_context(request, project, "photos", item=item, form=form, **publishing(request, project)),
        status=422 if form.errors else 200,
    )


@open_to(get=Action.REVIEW)
def original(request: HttpRequest, project: Project, item_id: int) -> HttpResponse:
    """The file as it came in, under the name that it had."""
    item = _item(project, item_id)
    try:
        data = storage.original(item.image)
    except OSError as error:
        raise missing.answer_to(error, names_place=True) from None
    name = item.name.rsplit("/", 1)[-1] or f"{item.image.sha256[:12]}.{item.image.format.lower()}"
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _page(
    request: HttpRequest,
    project: Project,
    item: Item,
    *,
    status: int = 200,
    error: str = "",
    kept: Any = None,
) -> HttpResponse:
    shown = photo_page(project, item, signed_in(request))
    context = project_context(
        request,
        project,
        "photos",
        photo=shown,
        definitions=active_definitions(project),
        hold_reasons=HoldReason.choices,
        unusable_reasons=UnusableReason.choices,
        error=error,
        kept=kept or {},
        longest_name=LONGEST_NAME,
        longest_text=LONGEST_TEXT,
    )
    return render(request, "explorer/photo.html", context, status=status)


def _was_erased(item_id: int) -> bool:
    """From whichever project: the page of what is left of it says whether from this one."""
    return item_id < 2**63 and Item.objects.filter(pk=item_id, project__isnull=True).exists()


def _item(project: Project, item_id: int) -> Item:
    # Beyond what the column holds there is no photo either.
    item = item_of(project, item_id) if item_id < 2**63 else None
    if item is None:
        raise Http404(_("This project holds no such photo."))
    return item
