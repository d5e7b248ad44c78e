"""Whoever reads an endpoint's mails ends them, of one kind or of all, by an address that is in each of them.

No account is needed, for mail goes to people and lists that have none here; so the address opens nothing else.
"""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.http.signed_addresses import SignedIds
from labeling.notify.models import Endpoint, OffReason
from labeling.notify.remembering import remember
from labeling.refusals import Refused

_ADDRESSES = SignedIds("labeling.notify.unsubscribe")


def address_of(endpoint: Endpoint) -> str:
    return endpoint.site + reverse("unsubscribe", args=[_ADDRESSES.token(endpoint.pk)])


def origin_of(request: HttpRequest) -> str:
    """Under which ``request`` reached this site: one of ``HILLTOP_HOSTS``."""
    return f"{request.scheme}://{request.get_host()}"


def endpoint_of(token: str) -> Endpoint:
    """Raises :class:`Refused` ``no_link`` (404) for an address that is none of ours, or whose endpoint was removed."""
    pk = _ADDRESSES.read(token)
    found = Endpoint.objects.select_related("project").filter(pk=pk).first() if pk else None
    if found is None:
        raise Refused(
            "no_link", _("This address ends no mails: they ended before, or it is not whole."), status=404
        )
    return found


@transaction.atomic
def unsubscribe(*, endpoint: Endpoint, kind: str | None = None) -> Endpoint:
    """Send no more of this kind of event; without one, of none. Twice is as once. What waits of it is sent no more either.

    Returns the endpoint as it is now.
    """
    kept = (
        Endpoint.objects.select_for_update(no_key=True, of=("self",))
        .select_related("project")
        .get(pk=endpoint.pk)
    )
    left = [each for each in kept.events if kind is not None and each != kind]
    ends = set(kept.events) - set(left)
    if kept.off_reason == OffReason.LEFT or not ends:
        return kept
    kept.deliveries.filter(state="waiting", event__kind__in=ends).delete()
    if left:
        kept.events = left
    else:  # the last kind stays named, for whoever switches it on again
        kept.off_at, kept.off_reason = timezone.now(), OffReason.LEFT
    kept.save(update_fields=["events", "off_at", "off_reason"])
    remember(kept, "left", None, kinds=sorted(ends))
    return kept
