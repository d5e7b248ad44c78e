"""Which room answers which address. Each room names its own; the gateway's come last, with the API's own 404."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

_ROOMS = ["people", "catalog", "truth", "learning", "queue", "frontier", "gateway"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    *(path("", include(f"labeling.{room}.urls")) for room in _ROOMS if find_spec(f"labeling.{room}.urls")),
]

handler400 = "labeling.gateway.errors.bad_request"
handler403 = "labeling.gateway.errors.forbidden"
handler404 = "labeling.gateway.errors.not_found"
handler500 = "labeling.gateway.errors.server_error"
