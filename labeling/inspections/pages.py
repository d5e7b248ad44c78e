"""What all pages of a protocol share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from labeling.inspections.models import Protocol
from labeling.inspections.permissions import actions_in


def protocol_context(request: HttpRequest, protocol: Protocol, page: str, **more: Any) -> dict[str, Any]:
    """What ``protocol.html`` needs, and ``more``. ``page``: name of its address.

    ``can`` holds the actions of :class:`~labeling.catalog.permissions.Action` that the person may do here.
    """
    can = {str(action) for action in actions_in(request.user, protocol) or ()}
    return {"protocol": protocol, "can": can, "page": page, **more}
