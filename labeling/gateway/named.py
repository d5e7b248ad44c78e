"""What an address names, if who asks may do there what it is for."""

from __future__ import annotations

from typing import Any

from labeling.catalog.permissions import Action, project_for
from labeling.inspections.permissions import inspection_for, protocol_for

#: Parts of an address that name what it is about.
NAMES = ("slug", "protocol", "inspection_id")


def named_by(user: Any, action: Action, address: dict[str, Any]) -> dict[str, Any]:
    """The project of its ``slug``, or else the ``protocol``, or the ``inspection`` of its ``inspection_id``.

    Raises :class:`~django.http.Http404` and :class:`~django.core.exceptions.PermissionDenied` as these do.
    """
    if "protocol" in address:
        return {"protocol": protocol_for(user, address["protocol"], action)}
    if "inspection_id" in address:
        return {"inspection": inspection_for(user, address["inspection_id"], action)}
    return {"project": project_for(user, address["slug"], action)}
