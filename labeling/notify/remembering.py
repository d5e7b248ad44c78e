"""What was done to an endpoint is kept: in its project's diary, or, where it has none, in the trail of who did it."""

from __future__ import annotations

from typing import Any

from labeling.catalog.services import log_activity
from labeling.notify.models import Endpoint
from labeling.people import history
from labeling.people.models import AccountEvent, User


def remember(endpoint: Endpoint, what: str, by: User | None, **more: Any) -> None:
    """``what``: made, changed, removed, secret, on, off or left; without ``by`` it did so by itself."""
    if endpoint.project:
        told = {"name": endpoint.name, **more}
        log_activity(project=endpoint.project, kind=f"endpoint_{what}", actor=by, **told)
    else:
        history.remember(by, AccountEvent.Kind(f"endpoint_{what}"), by=by, what=endpoint.name)
