"""Who may use an address, said once where it is answered: asked before a page or the API does anything; tests read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

#: A part of addresses -> what it names, and what finds that for ``(who asks, part, action)`` or raises.
Finders = Mapping[str, tuple[str, Callable[[Any, Any, Any], Any]]]
View = Callable[..., HttpResponseBase]


class Who(StrEnum):
    """Who may, where it is no matter of a role in a project."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    SUPERUSER = "superuser"


def admitted(user: Any, may: StrEnum, address: dict[str, Any], finders: Finders) -> dict[str, Any]:
    """The parts of an address. Where ``may`` is an action, what the first of its ``finders`` finds stands for that part.

    Raises :class:`~django.core.exceptions.PermissionDenied` where somebody may not, and what the finder raises.
    """
    if may is Who.SUPERUSER and not (user.is_active and user.is_superuser):
        raise PermissionDenied(_("Only an administrator of the whole site may do this. Ask one."))
    if isinstance(may, Who):
        return address
    part = next(part for part in finders if part in address)
    thing, find = finders[part]
    return {name: value for name, value in address.items() if name != part} | {
        thing: find(user, address[part], may)
    }


def pages(finders: Finders) -> Callable[..., Callable[[View], View]]:
    """The decorator of pages whose addresses name these things."""

    def open_to(*, get: StrEnum | None = None, post: StrEnum | None = None) -> Callable[[View], View]:
        """Make a view a page for whoever is signed in and may, by method; another method is refused (405).

        The view gets what its address names instead of the part that names it. What is only looked at asks for no form's
        token, so that whoever comes with another method hears of that, and not of the token (403).
        """
        may = {method: who for method, who in (("GET", get), ("HEAD", get), ("POST", post)) if who}

        def decorate(view: View) -> View:
            @login_required
            @require_http_methods(list(may))
            @wraps(view)
            def page(request: HttpRequest, **address: Any) -> HttpResponseBase:
                return view(request, **admitted(request.user, may[request.method or "GET"], address, finders))

            page.may = may  # type: ignore[attr-defined]
            return page if post else csrf_exempt(page)

        return decorate

    return open_to
