"""What admins type about the people of a project."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Role


class MemberForm(forms.Form):
    username = forms.CharField(max_length=150, label=gettext_lazy("User name"))
    role = forms.ChoiceField(choices=Role.choices, label=gettext_lazy("Role"))


class AccountForm(MemberForm):
    full_name = forms.CharField(max_length=150, required=False, label=gettext_lazy("Full name"))
    password = forms.CharField(
        label=gettext_lazy("First password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=gettext_lazy("At least 8 letters, not a common word. Tell it to the person yourself."),
    )
    field_order = ("username", "full_name", "role", "password")
