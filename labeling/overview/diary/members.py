"""Who is a member, and as what."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Role
from labeling.overview.diary.kind import Data, Kind


def _role(data: Data) -> str:
    role = str(Role(data["role"]).label)
    if data.get("previous"):
        return _("%(who)s made %(username)s a %(role)s.") % {**data, "role": role.lower()}
    return _("%(who)s added %(username)s as %(role)s.") % {**data, "role": role.lower()}


KINDS = {
    "role_set": Kind("users", "members", _role),
    "member_removed": Kind("users", "members", _("%(who)s removed %(username)s.")),
}
