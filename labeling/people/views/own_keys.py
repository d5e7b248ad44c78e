"""A person's own keys for the labeling screen and for sweeps."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from labeling.http.who_may import Who
from labeling.people.keys import USUAL, choose_keys, keys_of, name_of
from labeling.people.signed_in import open_to, signed_in
from labeling.refusals import Refused


@open_to(get=Who.SIGNED_IN, post=Who.SIGNED_IN)
@never_cache
def own_keys(request: HttpRequest) -> HttpResponse:
    """``next`` is the page that a person came from, to which a link leads back."""
    me = signed_in(request)
    if request.method != "POST":
        return _page(request, keys_of(me))
    asked = {} if "reset" in request.POST else {action: request.POST.get(action, "") for action in USUAL}
    try:
        choose_keys(user=me, keys=asked)
    except Refused as refused:
        return _page(request, asked, refused)
    messages.success(request, _("The keys are kept. They hold wherever you sign in."))
    back = _back(request)
    return redirect(f"{request.path}?{urlencode({'next': back})}" if back else request.path)


def _page(request: HttpRequest, keys: Mapping[str, str], refused: Refused | None = None) -> HttpResponse:
    wrong = refused.fields if refused else {}
    rows = [
        {
            "action": action,
            "name": name_of(action),
            "key": keys.get(action, ""),
            "usual": usual,
            "wrong": wrong.get(action),
        }
        for action, usual in USUAL.items()
    ]
    shown = {"rows": rows, "back": _back(request), "refused": refused}
    return render(request, "people/keys.html", shown, status=refused.status if refused else 200)


def _back(request: HttpRequest) -> str:
    """An address of this Hilltop, or nothing."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    return asked if url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}) else ""
