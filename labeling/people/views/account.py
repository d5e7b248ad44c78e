"""One's own account: password, sessions, tokens, and what happened to it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from labeling.http.who_may import Who
from labeling.people import selectors, services
from labeling.people.access import end_streams, stay_as_they_are
from labeling.people.forms import ChangePasswordForm, TokenForm
from labeling.people.history import remember
from labeling.people.models import AccountEvent, SlackAccount
from labeling.people.second_step import has_second_step
from labeling.people.signed_in import open_to, signed_in
from labeling.people.slack import unlink
from labeling.people.views.not_taken import not_taken


@open_to(get=Who.SIGNED_IN)
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    return _page(request, TokenForm())


def _page(request: HttpRequest, form: TokenForm, *, status: int = 200, **more: Any) -> HttpResponse:
    me = signed_in(request)
    shown = {
        "me": me,
        "form": form,
        "tokens": selectors.live_tokens(me),
        "events": selectors.account_events(me),
        "revoke_route": "token-revoke",
        "two_step": has_second_step(me),
        "slack": SlackAccount.objects.filter(person=me).first() if settings.SLACK_TOKEN else None,
        "has_slack": bool(settings.SLACK_TOKEN),
    }
    return render(request, "people/account.html", shown | more, status=status)


class ChangePassword(auth_views.PasswordChangeView):
    """This session goes on under a new key; all others, and all tokens, end."""

    template_name = "people/password.html"
    form_class = ChangePasswordForm
    success_url = reverse_lazy("account")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"address": self.request.META.get("REMOTE_ADDR", "")}

    @transaction.atomic
    def form_valid(self, form: ChangePasswordForm) -> HttpResponse:  # type: ignore[override]
        if not stay_as_they_are(form.user):
            form.add_error(None, _("Your account was changed meanwhile. Load the page anew and try again."))
            return self.form_invalid(form)
        response = super().form_valid(form)
        me = signed_in(self.request)
        remember(me, AccountEvent.Kind.PASSWORD_SET, by=me)
        end_streams(me)
        messages.success(
            self.request,
            _("Your password is changed. You are signed out everywhere else, and your tokens are revoked."),
        )
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        update_session_auth_hash(
            self.request, form.user
        )  # the present password's hash may just have been made stronger
        return not_taken(super().form_invalid(form), form, "old_password")


@open_to(post=Who.SIGNED_IN)
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    me = signed_in(request)
    services.sign_out_everywhere(person=me, by=me)
    logout(request)
    messages.success(request, _("You are signed out everywhere."))
    return redirect("login")


@open_to(post=Who.SIGNED_IN)
@never_cache
def make_token(request: HttpRequest) -> HttpResponse:
    """Answers with the page that shows the token: it is nowhere to be read again, so there is no other page to go to."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    token, text = services.make_token(user=signed_in(request), **form.cleaned_data)
    return _page(request, TokenForm(), status=201, made=token, text=text)


@open_to(post=Who.SIGNED_IN)
def revoke_token(request: HttpRequest, key: str) -> HttpResponse:
    me = signed_in(request)
    services.revoke_token(user=me, key=key, by=me)
    messages.success(request, _("The token is revoked."))
    return redirect("account")


@open_to(post=Who.SIGNED_IN)
def unlink_slack(request: HttpRequest) -> HttpResponse:
    unlink(person=signed_in(request))
    messages.success(request, _("Nobody acts as you from Slack any more."))
    return redirect("account")
