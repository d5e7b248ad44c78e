"""All accounts, for administrators of the site: invite, let in again, keep out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from labeling.http.refused import refusals_beside
from labeling.http.who_may import Who
from labeling.people import selectors, services
from labeling.people.forms import InviteForm
from labeling.people.links import days_of_links
from labeling.people.models import User
from labeling.people.second_step import has_second_step
from labeling.people.signed_in import open_to, signed_in
from labeling.text.plain import isolated

A_PAGE = 50


@open_to(get=Who.SUPERUSER)
def people(request: HttpRequest) -> HttpResponse:
    me = signed_in(request)
    search = request.GET.get("q", "")[:150]
    page = Paginator(selectors.everybody(search), A_PAGE).get_page(request.GET.get("page"))
    return render(request, "people/people.html", {"me": me, "page": page, "search": search})


@open_to(get=Who.SUPERUSER, post=Who.SUPERUSER)
@never_cache
def invite(request: HttpRequest) -> HttpResponse:
    """A new account and its one-time link, which the answer shows."""
    me = signed_in(request)
    form = InviteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_beside(form):
            person = services.create_account(by=me, **form.cleaned_data)
            return _person(request, me, person, status=201, **_new_link(request, me, person))
    context = {"form": form, "mail": settings.MAIL_IS_SET_UP}
    return render(request, "people/invite.html", context, status=422 if form.errors else 200)


@open_to(get=Who.SUPERUSER)
def person(request: HttpRequest, pk: int) -> HttpResponse:
    me = signed_in(request)
    return _person(request, me, get_object_or_404(User, pk=pk))


def _person(request: HttpRequest, me: User, person: User, *, status: int = 200, **more: Any) -> HttpResponse:
    shown = {
        "me": me,
        "person": person,
        "tokens": selectors.live_tokens(person),
        "events": selectors.account_events(person),
        "mail": settings.MAIL_IS_SET_UP,
        "revoke_route": "person-token-revoke",
        "two_step": has_second_step(person),
    }
    return render(request, "people/person.html", shown | more, status=status)


def _new_link(request: HttpRequest, me: User, person: User) -> dict[str, Any]:
    mail = settings.MAIL_IS_SET_UP and "mail" in request.POST
    link, mailed = services.make_link(person=person, by=me, request=request, mail=mail)
    return {"link": link, "mailed": mailed, "not_mailed": mail and not mailed, "days": days_of_links()}


@open_to(post=Who.SUPERUSER)
@never_cache
def make_link(request: HttpRequest, pk: int) -> HttpResponse:
    me = signed_in(request)
    found = get_object_or_404(User, pk=pk)
    return _person(request, me, found, status=201, **_new_link(request, me, found))


@open_to(post=Who.SUPERUSER)
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Off, or with ``to=on`` on."""
    me = signed_in(request)
    found = get_object_or_404(User, pk=pk)
    name = {"name": isolated(str(found))}
    if request.POST.get("to") == "on":
        services.switch_on(person=found, by=me)
        messages.success(request, _("%(name)s may sign in again.") % name)
    else:
        services.switch_off(person=found, by=me)
        messages.success(request, _("%(name)s is switched off and signed out.") % name)
    return redirect("person", pk=pk)


@open_to(post=Who.SUPERUSER)
def sign_out(request: HttpRequest, pk: int) -> HttpResponse:
    me = signed_in(request)
    found = get_object_or_404(User, pk=pk)
    services.sign_out_everywhere(person=found, by=me)
    messages.success(request, _("%(name)s is signed out everywhere.") % {"name": isolated(str(found))})
    return redirect("person", pk=pk)


@open_to(post=Who.SUPERUSER)
def revoke_token(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    me = signed_in(request)
    services.revoke_token(user=get_object_or_404(User, pk=pk), key=key, by=me)
    messages.success(request, _("The token is revoked."))
    return redirect("person", pk=pk)


@open_to(post=Who.SUPERUSER)
def drop_second_step(request: HttpRequest, pk: int) -> HttpResponse:
    """For somebody who lost their phone and their recovery codes."""
    me = signed_in(request)
    found = get_object_or_404(User, pk=pk)
    services.drop_second_step(person=found, by=me)
    messages.success(
        request, _("%(name)s signs in with the password alone now.") % {"name": isolated(str(found))}
    )
    return redirect("person", pk=pk)
