"""What an address names, found for who may do there what it is for."""

from __future__ import annotations

from labeling.catalog.permissions import project_for
from labeling.http.who_may import Finders
from labeling.inspections.capture.links import link_for, open_link
from labeling.inspections.permissions import inspection_for, protocol_for
from labeling.notify.permissions import delivery_for, endpoint_for
from labeling.queue.sheets.permissions import sheet_for

#: A token is the permission, whoever asks: :class:`~labeling.refusals.Refused` if it is of no link that goes on.
FINDERS: Finders = {
    "token": ("link", lambda _user, token, _action: open_link(token)),
    "link_id": ("link", link_for),
    "protocol": ("protocol", protocol_for),
    "inspection_id": ("inspection", inspection_for),
    "sheet": ("sheet", sheet_for),
    "endpoint_id": ("endpoint", endpoint_for),
    "delivery_id": ("delivery", delivery_for),
    "slug": ("project", project_for),
}
