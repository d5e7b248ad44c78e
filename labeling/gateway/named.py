"""What an address names, if who asks may do there what it is for."""

from __future__ import annotations

from typing import Any

from labeling.catalog.permissions import Action, project_for
from labeling.inspections.capture.links import link_for, open_link
from labeling.inspections.permissions import inspection_for, protocol_for
from labeling.notify.permissions import delivery_for, endpoint_for
from labeling.queue.sheets.permissions import sheet_for

#: Parts of an address that name what it is about.
NAMES = ("slug", "protocol", "inspection_id", "link_id", "sheet", "endpoint_id", "delivery_id")


def named_by(user: Any, action: Action, address: dict[str, Any]) -> dict[str, Any]:
    """The project of its ``slug``, or else the ``protocol``, the ``inspection`` of its ``inspection_id``, the ``sheet``, the
    ``endpoint`` of its ``endpoint_id``, the ``delivery`` of its ``delivery_id``, or the capture ``link`` of its
    ``link_id``; or of its ``token``, which is the permission, whoever asks.

    Raises :class:`~django.http.Http404` and :class:`~django.core.exceptions.PermissionDenied` as these do, and
    :class:`~labeling.refusals.Refused` for a token of no link that goes on.
    """
    if "token" in address:
        return {"link": open_link(address["token"])}
    if "link_id" in address:
        return {"link": link_for(user, address["link_id"], action)}
    if "protocol" in address:
        return {"protocol": protocol_for(user, address["protocol"], action)}
    if "inspection_id" in address:
        return {"inspection": inspection_for(user, address["inspection_id"], action)}
    if "sheet" in address:
        return {"sheet": sheet_for(user, address["sheet"], action)}
    if "endpoint_id" in address:
        return {"endpoint": endpoint_for(user, address["endpoint_id"], action)}
    if "delivery_id" in address:
        return {"delivery": delivery_for(user, address["delivery_id"], action)}
    return {"project": project_for(user, address["slug"], action)}
