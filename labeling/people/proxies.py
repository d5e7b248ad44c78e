"""Who asks, where proxies stand between: what they say of a request is believed from trusted ones only.

From here on ``REMOTE_ADDR`` is the client's address, for whatever counts or logs by it, and the protocol's header stays only
when a trusted proxy sent it. A stranger can write anything into both, so they are read from the end that ours wrote.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_only_middleware

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_FOR, _PROTO = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"
_told: set[str] = set()


@sync_only_middleware
def believe_trusted_proxies(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        _rewrite(request)
        return get_response(request)

    return middleware


def _rewrite(request: HttpRequest) -> None:
    """Put the client's address and protocol into ``request.META``, as the last trusted proxy saw them."""
    meta = request.META
    said = [part.strip() for part in meta.pop(_FOR, "").split(",") if part.strip()]
    protocols = [part.strip() for part in meta.pop(_PROTO, "").split(",") if part.strip()]
    client, hops = meta.get("REMOTE_ADDR", ""), 0
    while _is_trusted(client):
        hops += 1
        before = parse(said.pop()) if said else None
        if before is None:  # nothing more was said, or nothing that is an address
            break
        client = str(before)
    if hops:
        meta["REMOTE_ADDR"] = client
        if protocols:
            meta[_PROTO] = protocols[-min(hops, len(protocols))]
    elif said and client not in _told and len(_told) < 100:
        _told.add(client)
        logger.warning(
            "%s sends X-Forwarded-For, and is not in HILLTOP_PROXIES: all that it passes on counts as its own.",
            client,
        )


def _is_trusted(address: str) -> bool:
    if not settings.TRUSTED_PROXIES:
        return False
    parsed = parse(address)
    return parsed is not None and any(parsed in network for network in settings.TRUSTED_PROXIES)


def parse(text: str) -> Address | None:
    """The address, of a text that may also hold a port; an IPv4 address in IPv6's clothes is an IPv4 address."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def neighbourhood(text: str) -> str:
    """What counts as one place. Whoever has an IPv6 address has the 2⁶⁴ beside it as well."""
    address = parse(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return text if address is None else str(address)
