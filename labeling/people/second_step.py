"""Two-step sign-in: a code from an app on one's phone, or a recovery code, beside the password.

django-allauth makes secrets and checks codes. What is ours: how often one may try, counted for all processes together;
each code counts once; and secrets are encrypted in the database.
"""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken, MultiFernet
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from labeling.people import rate_limits, throttle
from labeling.people.encrypted import keys_for
from labeling.people.history import remember
from labeling.people.models import AccountEvent, User

TRIES = 6
WINDOW_SECONDS = 300
#: A code of the app is taken for three steps of 30 seconds; nobody who saw it typed may use it after its owner.
CODE_SECONDS = 120


class EncryptedSecrets(DefaultMFAAdapter):  # type: ignore[misc]
    """A copy of the database alone lets nobody make codes."""

    def encrypt(self, text: str) -> str:
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _keys().decrypt(encrypted_text.encode()).decode()


def _keys() -> MultiFernet:
    return keys_for("labeling.people.second_step")


def encrypt_anew() -> int:
    """With the secret key in force what fallbacks encrypted, so that these can go; return of how many people."""
    renewed = 0
    for found in Authenticator.objects.order_by("pk").select_for_update():
        data = {name: _anew(value) for name, value in found.data.items()}
        if data != found.data:
            found.data = data
            found.save(update_fields=["data"])
            renewed += 1
    return renewed


def _anew(value: Any) -> Any:
    if isinstance(value, list):
        return [_anew(each) for each in value]
    if not isinstance(value, str):
        return value
    try:
        return _keys().rotate(value).decode()
    except InvalidToken:  # it is no secret
        return value


def has_second_step(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def check_code(user: User, code: str) -> Authenticator:
    """What the code is of. Raises :class:`ValidationError` ``throttled`` or ``incorrect_code``.

    Counted by person alone: only who has given the right password comes here.
    """
    key = rate_limits.key_of("second step", str(user.pk))
    if rate_limits.counted(key) >= TRIES:
        raise ValidationError(_("Too many wrong codes. Wait five minutes, then try again."), code="throttled")
    code = "".join(code.split())
    fresh = rate_limits.count(rate_limits.key_of("code", str(user.pk), code), seconds=CODE_SECONDS)[0] == 1
    for each in Authenticator.objects.filter(user=user):
        if fresh and each.wrap().validate_code(code):
            rate_limits.forget(key)
            each.user = user
            found: Authenticator = each
            return found
    rate_limits.count(key, seconds=WINDOW_SECONDS)
    remember(user, AccountEvent.Kind.CODE_FAILED, by=None)
    raise ValidationError(
        _("This code is not right, or was used already. Wait for the next one."), code="incorrect_code"
    )


class CodeForm(mfa_forms.AuthenticateForm):  # type: ignore[misc]
    """At signing in."""

    def clean_code(self) -> str:
        self.authenticator = check_code(self.user, self.cleaned_data["code"])
        return str(self.cleaned_data["code"])


class CodeAgainForm(mfa_forms.ReauthenticateForm):  # type: ignore[misc]
    """Before the second step itself is changed."""

    clean_code = CodeForm.clean_code


class PasswordAgainForm(ReauthenticateForm):  # type: ignore[misc]
    """The same with the password. A page left open is no licence to guess it."""

    def clean_password(self) -> str:
        request: HttpRequest = context.request
        attempt = {"address": request.META.get("REMOTE_ADDR", ""), "username": self.user.username}
        if refusal := throttle.must_wait(**attempt):
            raise ValidationError(refusal, code="throttled")
        given = str(self.cleaned_data["password"])
        if not self.user.check_password(given):
            throttle.count_failure(**attempt)
            raise ValidationError(_("This is not your present password."), code="password_incorrect")
        update_session_auth_hash(request, self.user)  # a hash that was made stronger just now ends no session
        throttle.forget(**attempt)
        return given
