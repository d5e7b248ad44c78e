"""Who may do something with an endpoint: its project's admins; with one of the whole site, superusers; with calls back,
whose they are, too."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog.permissions import Action, may_create_projects, project_for
from labeling.notify.models import Channel, Delivery, Endpoint


def endpoint_for(user: Any, endpoint_id: UUID, action: Action) -> Endpoint:
    """The endpoint, if ``user`` may do ``action`` where it is.

    Raises :class:`~django.http.Http404` for strangers, and :class:`~django.core.exceptions.PermissionDenied` for members
    whose role is not enough.
    """
    found = Endpoint.objects.filter(pk=endpoint_id).select_related("project", "created_by").first()
    if found is not None and found.project is not None:
        project_for(user, found.project.slug, action)
    elif found is None or not (may_create_projects(user) or _own(user, found)):
        raise Http404(_("There is no such webhook, or it is not yours to see."))
    return found


def _own(user: Any, endpoint: Endpoint) -> bool:
    return endpoint.kind == Channel.CALL_BACK and endpoint.created_by_id == user.pk


def delivery_for(user: Any, delivery_id: int, action: Action) -> Delivery:
    """The same of one delivery, with its endpoint."""
    found = Delivery.objects.filter(pk=delivery_id).select_related("event", "endpoint").first()
    if found is None:
        raise Http404(_("There is no such delivery: events are kept for some days only."))
    found.endpoint = endpoint_for(user, found.endpoint_id, action)
    return found
