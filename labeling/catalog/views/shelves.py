"""What the pages of templates do alike, whether a shelf holds those of projects or of protocols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.forms.templates import TemplateFileForm
from labeling.catalog.project_templates.files import as_response, parse
from labeling.catalog.project_templates.shelf import Shelf, T
from labeling.http.refused import refusals_beside, refusals_said
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


def list_page(
    request: HttpRequest, shelf: Shelf[T], read: Callable[[Any], T], *, page: str, address: str
) -> HttpResponse:
    """All that there are; a file that is sent and that ``read`` accepts becomes one of the site's own."""
    sent = request.method == "POST"
    form = TemplateFileForm(request.POST if sent else None, request.FILES if sent else None)
    wrong: dict[str, Any] = {}
    if form.is_valid():
        try:
            kept = shelf.keep(read(parse(form.content())), by=signed_in(request))
        except Refused as refusal:
            wrong = form.tell(refusal)
        else:
            messages.success(request, _("The template “%(name)s” is kept.") % {"name": kept.said["name"]})
            return redirect(address)
    return render(
        request,
        page,
        {"templates": shelf.all(), "form": form, "wrong": wrong},
        status=422 if form.errors or wrong else 200,
    )


def download(shelf: Shelf[T], key: str) -> HttpResponse:
    found = shelf.called(key)
    if found is None:
        raise Http404(_("There is no such template any more."))
    return as_response(found.key, found.content)


def remove(request: HttpRequest, shelf: Shelf[T], key: str, *, told: str, address: str) -> HttpResponse:
    """``told``: what is said where it is removed."""
    with refusals_said(request):
        shelf.remove(key, by=signed_in(request))
        messages.success(request, told)
    return redirect(address)


def keep_or_download(
    request: HttpRequest, shelf: Shelf[T], make: Callable[..., T], form: Form, *, told: str, address: str
) -> HttpResponse | None:
    """``make``: the template, with what the form says; None: the form is to be shown, with its errors."""
    if "file" in request.GET and request.method != "POST":
        with refusals_said(request):
            made = make()
            return as_response(made.key, made.content)
        return redirect(request.path)
    if form.is_valid():
        with refusals_beside(form):
            shelf.keep(make(**form.cleaned_data), by=signed_in(request))
            messages.success(request, told)
            return redirect(address)
    return None
