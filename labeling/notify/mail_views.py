"""The page on which whoever reads mails of events ends them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from labeling.notify.kinds import CHOICES
from labeling.notify.unsubscribing import endpoint_of
from labeling.notify.unsubscribing import unsubscribe as end_mails


@csrf_exempt  # programs of mail post it of themselves (RFC 8058), and the address is the permission
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """To look at it changes nothing: programs that look for viruses open addresses. ``kind`` ends that one, else all."""
    endpoint = endpoint_of(token)
    posted = request.method == "POST"
    if posted:
        endpoint = end_mails(endpoint=endpoint, kind=request.POST.get("kind"))
    kinds = [(name, CHOICES[name].title) for name in endpoint.events if name in CHOICES and endpoint.is_on]
    shown = {"endpoint": endpoint, "kinds": kinds, "changed": posted}
    return render(request, "notify/unsubscribe.html", shown)
