"""What all pages of a protocol share: who may use them, and what their frame shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from labeling.http.who_may import pages
from labeling.inspections.models import Protocol
from labeling.inspections.permissions import actions_in, protocol_for

#: The view gets the ``protocol`` of its address.
open_to = pages({"protocol": ("protocol", protocol_for)})


def protocol_context(request: HttpRequest, protocol: Protocol, page: str, **more: Any) -> dict[str, Any]:
    """What ``protocol.html`` needs, and ``more``. ``page``: name of its address.

    ``can`` holds the actions of :class:`~labeling.catalog.permissions.Action` that the person may do here.
    """
    can = {str(action) for action in actions_in(request.user, protocol) or ()}
    return {"protocol": protocol, "can": can, "page": page, **more}
