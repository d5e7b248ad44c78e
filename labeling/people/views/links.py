"""Getting in without a password: by a one-time link, which an administrator made or which was mailed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from labeling.people.access import end_streams, stay_as_they_are
from labeling.people.forms import ChoosePasswordForm, ForgotForm
from labeling.people.history import remember
from labeling.people.links import days_of_links, link_tokens
from labeling.people.models import AccountEvent, User
from labeling.people.views.not_taken import not_taken


class ChoosePassword(auth_views.PasswordResetConfirmView):
    """The token moves from the address into the session at once, so that no other page and no log learns it.

    Nobody is signed in by it: the sign-in page follows, with whatever second step the account has.
    """

    template_name = "people/choose_password.html"
    form_class = ChoosePasswordForm
    token_generator = link_tokens  # type: ignore[assignment]  # all that the view asks it is ``check_token``
    success_url = reverse_lazy("login")

    def get_user(self, uidb64: str) -> User | None:  # type: ignore[override]
        user = super().get_user(uidb64)
        return user if isinstance(user, User) and user.is_active else None

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        return super().get_context_data(**named) | {"person": self.user, "mail": settings.MAIL_IS_SET_UP}

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        if not stay_as_they_are(form.user):  # the link was used, or the account switched off, a moment ago
            self.validlink = False
            return self.render_to_response(self.get_context_data(), status=409)
        response = super().form_valid(form)
        remember(form.user, AccountEvent.Kind.PASSWORD_SET, by=None)
        end_streams(form.user)
        messages.success(self.request, _("Your password is set. Sign in with it."))
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = 422
        return response


class Forgot(auth_views.PasswordResetView):
    """Only where mail is set up; else an administrator makes the link."""

    template_name = "people/forgot.html"
    form_class = ForgotForm
    success_url = reverse_lazy("forgot-sent")

    def dispatch(self, request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
        if not settings.MAIL_IS_SET_UP:
            raise Http404(_("No mail is set up here. Ask an administrator for a one-time link."))
        return super().dispatch(request, *args, **named)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def form_invalid(self, form: Any) -> HttpResponse:
        return not_taken(super().form_invalid(form), form, "email", wait_s=ForgotForm.WINDOW_SECONDS)


class ForgotSent(auth_views.PasswordResetDoneView):
    template_name = "people/forgot_sent.html"

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        return super().get_context_data(**named) | {"days": days_of_links()}
