"""Who asks, for pages. Who has not signed in is turned away before, by ``open_to``."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from labeling.http.who_may import pages
from labeling.people.models import User

#: ``@open_to(get=Who.SUPERUSER)``, for pages that are of no room above.
open_to = pages({})


def signed_in(request: HttpRequest) -> User:
    """The person. Raises :class:`~django.core.exceptions.PermissionDenied` where a page let a stranger in."""
    if not isinstance(request.user, User):
        raise PermissionDenied(_("Sign in first."))
    return request.user
