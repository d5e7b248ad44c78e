"""Single sign-on by OpenID Connect: who the provider says it is, and which account that opens.

django-allauth speaks with the provider. Which account is opened is said here, in this order:

1. The one that this very identity (issuer and subject) opened before.
2. The one with the same e-mail address, where the provider says that it has verified it. Addresses of accounts are typed by
   administrators only, so nobody can give their own account somebody else's.
3. A new one, where ``HILLTOP_SSO_CREATE`` is on.

Nothing else opens an account: an address that is not verified could be anybody's.
"""

from __future__ import annotations

import logging
from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from labeling.people.accounts import is_taken, new_user
from labeling.people.events import signed_on
from labeling.people.history import remember
from labeling.people.models import AccountEvent, User

logger = logging.getLogger(__name__)


class NoSignUp(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody makes their own account; and the messages of the pages are ours."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *_args: Any, **_named: Any) -> None:
        return None

    def respond_user_inactive(self, request: HttpRequest, user: User) -> Any:
        messages.error(request, _("This account is switched off. Ask an admin to switch it on again."))
        return redirect("login")


class SignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        claims = _claims(sociallogin)
        with transaction.atomic():
            user = (
                sociallogin.user
                if sociallogin.is_existing
                else self._account_of(request, sociallogin, claims)
            )
            if user is None:
                refused = _why_not(claims)
            elif not user.is_active:
                refused = _("This account is switched off. Ask an admin to switch it on again.")
            else:
                refused = ""
                signed_on.send(sender=User, person=user, groups=_groups(claims))
        if refused:
            _refuse(request, refused)

    def _account_of(
        self, request: HttpRequest, sociallogin: SocialLogin, claims: dict[str, Any]
    ) -> User | None:
        """The account that this identity opens from now on, if there is one or may be one."""
        email = str(claims.get("email") or "").strip()
        user = None
        if email and _is_verified(claims):
            user = _only_one_with(email)
        if user is None and settings.SSO_CREATE and not _has_somebody(email):
            user = _new_account(claims, email if _is_verified(claims) else "")
        if user is not None and user.is_active:
            sociallogin.connect(request, user)
            remember(user, AccountEvent.Kind.JOINED, by=None, what=settings.SSO_NAME)
        return user

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **_more: Any
    ) -> NoReturn:
        logger.warning("single sign-on failed: %s %.300s", error, exception or "")
        _refuse(request, _("Signing on did not succeed: the provider refused, or did not answer. Try again."))


def _refuse(request: HttpRequest, message: str) -> NoReturn:
    messages.error(request, message)
    raise ImmediateHttpResponse(redirect("login"))


def _claims(sociallogin: SocialLogin) -> dict[str, Any]:
    """What the provider says: the identity token's claims, and those of its user-info address over them."""
    said = sociallogin.account.extra_data
    return {**(said.get("id_token") or {}), **(said.get("userinfo") or {})}


def _is_verified(claims: dict[str, Any]) -> bool:
    """Some providers send a text. What is not clearly true is not."""
    return claims.get("email_verified") in (True, "true", "True")


def _groups(claims: dict[str, Any]) -> frozenset[str]:
    said = claims.get(settings.SSO_GROUPS_CLAIM) or []
    return frozenset(map(str, said if isinstance(said, list | tuple) else [said]))


def _has_somebody(email: str) -> bool:
    return bool(email) and User.objects.filter(email__iexact=email).exists()


def _only_one_with(email: str) -> User | None:
    found = list(User.objects.filter(email__iexact=email)[:2])
    return found[0] if len(found) == 1 else None


def _new_account(claims: dict[str, Any], email: str) -> User:
    """A person without a password. A name that is taken gets a number: it is not the same person by having the same name."""
    wished = str(claims.get("preferred_username") or claims.get("email") or "").partition("@")[0]
    wished = "".join(sign for sign in wished if sign.isalnum() or sign in "._-")[:120].strip(".") or "person"
    full_name = " ".join(str(claims.get("name") or "").split())[:150]
    name, number = wished, 2
    user = new_user(username=name, email=email, full_name=full_name)
    while is_taken(user.username):
        name, number = f"{wished}-{number}", number + 1
        user = new_user(username=name, email=email, full_name=full_name)
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError:
        user = new_user(username=name)  # the provider's texts are nothing that a person could correct here
        user.set_unusable_password()
    user.save()
    return user


def _why_not(claims: dict[str, Any]) -> str:
    email = str(claims.get("email") or "").strip()
    if _has_somebody(email) and not _is_verified(claims):
        return _(
            "The provider has not verified your e-mail address, so it opens no account here. Ask an administrator."
        )
    return _(
        "No account here belongs to you. Ask an administrator to invite you with the e-mail address %(email)s."
    ) % {"email": email or "–"}
