"""Signing in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from labeling.people import throttle

MESSAGES: dict[str, Any] = {
    "invalid_login": _("This name and password do not match. Check both; capital letters count."),
    "inactive": _("This account is switched off. Ask an admin to switch it on again."),
}


class SignInForm(AuthenticationForm):
    """Django's sign-in form with a throttle. One message for a wrong name and a wrong password alike."""

    error_messages = MESSAGES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, autocomplete in (("username", "username"), ("password", "current-password")):
            attrs = self.fields[name].widget.attrs
            attrs["autocomplete"] = autocomplete
            attrs["spellcheck"] = "false"
            attrs["autocapitalize"] = "none"

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username") or ""
        if not username or not self.cleaned_data.get("password"):
            return self.cleaned_data
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        if refusal := throttle.must_wait(address=address, username=username):
            raise ValidationError(refusal, code="throttled")
        try:
            cleaned = super().clean()
        except ValidationError as error:
            if error.code != "invalid_login":
                raise
            left = throttle.count_failure(address=address, username=username)
            if left == 0:
                told = throttle.must_wait(address=address, username=username)
                raise ValidationError(told, code="throttled") from error
            if left <= 2:
                raise ValidationError(
                    [
                        error,
                        ValidationError(
                            ngettext(
                                "%(left)d more try before a pause of five minutes.",
                                "%(left)d more tries before a pause of five minutes.",
                                left,
                            )
                            % {"left": left},
                            code="tries_left",
                        ),
                    ]
                ) from error
            raise
        throttle.forget(address=address, username=username)
        return cleaned
