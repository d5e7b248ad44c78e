"""What people type to get in: names and passwords, and who is to be let in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    PasswordResetForm,
    SetPasswordForm,
)
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from labeling.people import rate_limits, throttle
from labeling.people.history import remember
from labeling.people.links import link_for, mail_link_aside
from labeling.people.models import AccountEvent, Token, User
from labeling.people.proxies import neighbourhood
from labeling.people.tokens import DAYS
from labeling.text.lengths import longest

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


PASSWORD_RULES = _("At least 8 characters, not a common word, and not like your name.")


class _PasswordAlone:
    """Saves nothing else of the account, which may have been changed while the password was hashed."""

    cleaned_data: dict[str, Any]

    def set_password_and_save(
        self,
        user: User,
        password_field_name: str = "new_password1",  # noqa: S107  the name of a field
        commit: bool = True,
    ) -> User:
        user.set_password(self.cleaned_data[password_field_name])
        user.save(update_fields=["password"])
        return user


class ChoosePasswordForm(_PasswordAlone, SetPasswordForm):  # type: ignore[type-arg]
    """The first password, or another one, by a one-time link."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["new_password1"].help_text = PASSWORD_RULES
        self.fields["new_password2"].help_text = ""


class ChangePasswordForm(_PasswordAlone, PasswordChangeForm):  # type: ignore[type-arg]
    """Another password, by whoever knows the present one. A page left open is no licence to guess that one."""

    def __init__(self, *args: Any, address: str = "", **named: Any) -> None:
        super().__init__(*args, **named)
        self.attempt = {"address": address, "username": self.user.username}
        self.fields["old_password"].label = _("Present password")
        self.fields["new_password1"].help_text = PASSWORD_RULES
        self.fields["new_password2"].help_text = ""

    def clean_old_password(self) -> str:
        if refusal := throttle.must_wait(**self.attempt):
            raise ValidationError(refusal, code="throttled")
        try:
            given: str = super().clean_old_password()
        except ValidationError:
            throttle.count_failure(**self.attempt)
            raise ValidationError(
                _("This is not your present password."), code="password_incorrect"
            ) from None
        throttle.forget(**self.attempt)
        return given


class ForgotForm(PasswordResetForm):
    """Whoever forgot their password gets a one-time link by mail. The answer is the same for an unknown address."""

    #: Mails to one address, and requests from one place, in a window.
    TO_ONE, FROM_ONE = 3, 20
    WINDOW_SECONDS = 3600

    def __init__(self, *args: Any, request: HttpRequest | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        self.request = request
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].help_text = _("The one that your account has.")

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        assert self.request is not None  # narrows the type: the view gives it
        place = neighbourhood(self.request.META.get("REMOTE_ADDR", ""))
        asked, _left = rate_limits.count(
            rate_limits.key_of("forgot from", place), seconds=self.WINDOW_SECONDS
        )
        if asked > self.FROM_ONE:
            raise ValidationError(
                gettext("Too many requests from your network. Try again in an hour."), code="throttled"
            )
        return email

    def save(self, *_args: Any, **_named: Any) -> None:
        assert self.request is not None
        email = self.cleaned_data["email"]
        asked, _left = rate_limits.count(
            rate_limits.key_of("forgot", email.casefold()), seconds=self.WINDOW_SECONDS
        )
        if asked > self.TO_ONE:
            return  # said to nobody: that would tell whether there is such an account
        for person in self.get_users(email):
            remember(person, AccountEvent.Kind.LINK_MAILED, by=None)
            mail_link_aside(person, link_for(person, self.request))


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=longest(Token, "name"),
        label=_("Name"),
        help_text=_("What it is for. For example: nightly export."),
    )
    days = forms.TypedChoiceField(
        choices=[(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("A year"))],
        initial=DAYS,
        coerce=int,
        label=_("Lasts"),
    )


class InviteForm(forms.Form):
    username = forms.CharField(max_length=150, label=_("User name"))
    full_name = forms.CharField(max_length=150, required=False, label=_("Full name"))
    email = forms.EmailField(
        max_length=254,
        required=False,
        label=_("E-mail address"),
        help_text=_("For one-time links, and for single sign-on to find the account."),
    )
