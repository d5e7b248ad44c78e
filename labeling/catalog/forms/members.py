"""What admins type about the people of a project. Whether there is such an account is not known here."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from labeling.catalog.forms.texts import longest
from labeling.catalog.models import Role
from labeling.people.models import User


class MemberForm(forms.Form):
    username = forms.CharField(max_length=longest(User, "username"), label=gettext_lazy("User name"))
    role = forms.ChoiceField(choices=Role.choices, label=gettext_lazy("Role"))


class AccountForm(MemberForm):
    full_name = forms.CharField(
        max_length=longest(User, "first_name"), required=False, label=gettext_lazy("Full name")
    )
    password = forms.CharField(
        label=gettext_lazy("First password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=gettext_lazy("At least 8 letters, not a common word. Tell it to the person yourself."),
    )
    field_order = ("username", "full_name", "role", "password")
