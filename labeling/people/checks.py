"""What an operator should know before anybody signs in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register()
def https_names_its_proxy(**_named: Any) -> list[CheckMessage]:
    """Nothing but a proxy ends TLS, and one that is not trusted cannot say that it did."""
    if not settings.SESSION_COOKIE_SECURE or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "HILLTOP_HTTPS is on, and HILLTOP_PROXIES names no proxy.",
            hint="All people then count as one address, and links in mails begin with http. Name the proxy's network.",
            id="people.W001",
        )
    ]
