"""Sign in, sign out, and the tour that is shown once."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse

from labeling.http.who_may import Who
from labeling.people import services
from labeling.people.forms import SignInForm
from labeling.people.signed_in import open_to, signed_in
from labeling.people.views.not_taken import not_taken


class SignIn(auth_views.LoginView):
    template_name = "people/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "demo": settings.DEMO,
            "mail": settings.MAIL_IS_SET_UP,
            "sso": settings.SSO_NAME if settings.SSO_ISSUER else "",
            "sso_id": settings.SSO_ID,
        }

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """The password was right; whoever has a second step is asked for a code before they are in."""
        response: HttpResponse = perform_login(
            self.request, form.get_user(), redirect_url=self.get_success_url()
        )
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        return not_taken(super().form_invalid(form), form, "__all__")


@open_to(post=Who.SIGNED_IN)
def brightness(request: HttpRequest) -> HttpResponse:
    services.start_photos_plain(user=signed_in(request), plain="reset" in request.POST)
    return HttpResponse(status=204)


@open_to(post=Who.SIGNED_IN)
def tour_seen(request: HttpRequest) -> HttpResponse:
    services.remember_tour(user=signed_in(request))
    return HttpResponse(status=204)
