"""What admins type about the people of a project. Whether there is such an account is not known here."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Role
from labeling.people.forms import InviteForm
from labeling.people.models import User
from labeling.text.lengths import longest


class MemberForm(forms.Form):
    username = forms.CharField(max_length=longest(User, "username"), label=gettext_lazy("User name"))
    role = forms.ChoiceField(choices=Role.choices, label=gettext_lazy("Role"))


class InviteMemberForm(InviteForm):
    """For somebody who has no account yet."""

    role = forms.ChoiceField(choices=Role.choices, label=gettext_lazy("Role"))
