"""What a page may use of the device it is looked at on: nothing, unless its own view says what (W3C Permissions Policy)."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

NOTHING = "camera=(), microphone=(), geolocation=(), accelerometer=(), gyroscope=(), payment=(), usb=()"


class PermissionsPolicyMiddleware(MiddlewareMixin):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Permissions-Policy", NOTHING)
        return response
