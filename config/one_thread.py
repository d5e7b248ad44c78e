"""Lets a request run in one thread from the first middleware to the view.

Under ASGI, Django runs middleware that can do both in the event loop, and moves to a thread and back for each of its
hooks: a dozen moves a request, a third of the cost of a small one. A last middleware that is synchronous only makes
the whole chain synchronous. Asynchronous views still run in the event loop, and their streams hold no thread.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_only_middleware

GetResponse = Callable[[HttpRequest], HttpResponseBase]


@sync_only_middleware
def one_thread(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    return middleware
