"""To the provider of single sign-on, and back."""

from __future__ import annotations

import logging

from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib import messages
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from requests import RequestException

logger = logging.getLogger(__name__)


@require_GET
@never_cache
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _with_provider(views.login, request, provider_id)


@require_GET
@never_cache
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _with_provider(views.callback, request, provider_id)


def _with_provider(view: object, request: HttpRequest, provider_id: str) -> HttpResponse:
    if not settings.SSO_ISSUER:
        raise Http404(_("No single sign-on is set up here."))
    try:
        response: HttpResponse = view(request, provider_id)  # type: ignore[operator]
    except (RequestException, ValueError, DataError) as error:  # it is away, or says what no text is
        logger.warning("single sign-on failed: %.300s", error)
        messages.error(
            request,
            _(
                "The provider of single sign-on did not answer as it should. Try again, or sign in with a password."
            ),
        )
        return redirect("login")
    return response
