"""Erase a person's identity, and bring it back: for administrators of the site."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.pages import open_to
from labeling.erasure import services
from labeling.erasure.forms import PersonForm
from labeling.erasure.models import ErasedPerson
from labeling.http.refused import refusals_beside, refusals_said
from labeling.http.who_may import Who
from labeling.people.models import User
from labeling.people.signed_in import signed_in


@open_to(get=Who.SUPERUSER, post=Who.SUPERUSER)
def person_erase(request: HttpRequest, pk: int) -> HttpResponse:
    """What goes and what stays; then it is asked for."""
    me = signed_in(request)
    person = get_object_or_404(User, pk=pk)
    form = PersonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_beside(form):
            services.ask_for_person(person=person, by=me, **form.cleaned_data)
            messages.success(request, _("The identity is hidden, and nobody signs in with it."))
            return redirect("person-erase", pk=pk)
    erased = ErasedPerson.objects.filter(person=person, undone_at__isnull=True).first()
    context = {"person": person, "form": form, "erased": erased, "me": me}
    return render(request, "erasure/person.html", context, status=422 if form.errors else 200)


@open_to(post=Who.SUPERUSER)
def person_unerase(request: HttpRequest, pk: int) -> HttpResponse:
    me = signed_in(request)
    erased = get_object_or_404(ErasedPerson, person=pk, undone_at__isnull=True)
    with refusals_said(request):
        services.undo_person(erased=erased, by=me)
        messages.success(request, _("The identity is back. They sign in again, and make new tokens."))
        return redirect("person", pk=pk)
    return redirect("person-erase", pk=pk)
