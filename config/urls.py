"""Which room answers which address. Each room names its own; the gateway's come first, as programs ask most of all: whatever
begins as the API does is the API's, with its own 404."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("labeling.gateway.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("labeling.people.urls")),
    path("", include("labeling.catalog.urls")),
    path("", include("labeling.truth.urls")),
    path("", include("labeling.learning.urls")),
    path("", include("labeling.queue.urls")),
    path("", include("labeling.frontier.urls")),
    path("", include("labeling.monitors.urls")),
    path("", include("labeling.serving.urls")),
    path("", include("labeling.inspections.urls")),
    path("", include("labeling.explorer.urls")),
    path("", include("labeling.exchange.urls")),
    path("", include("labeling.erasure.urls")),
    path("", include("labeling.overview.urls")),
    path("", include("labeling.notify.urls")),
]

handler400 = "labeling.gateway.errors.bad_request"
handler403 = "labeling.gateway.errors.forbidden"
handler404 = "labeling.gateway.errors.not_found"
handler500 = "labeling.gateway.errors.server_error"
