"""For whoever watches the server: is it alive, and Prometheus figures."""

from __future__ import annotations

from hmac import compare_digest

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django_prometheus.exports import ExportToDjangoView

from labeling.gateway import vitals
from labeling.gateway.trouble import AWAY
from labeling.looked_at import only_looked_at


@only_looked_at
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the database answers and everything can be written, else 503 with what is wrong. Tells nothing else to
    strangers, and answers within :data:`vitals.PATIENCE_S`, whatever is the matter."""
    if wrong := vitals.wrong():
        return JsonResponse({"status": wrong}, status=503, headers={"Retry-After": str(AWAY.retry_after)})
    return JsonResponse({"status": "ok"})


@only_looked_at
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Superusers in the browser; a scraper with ``Authorization: Bearer`` and HILLTOP_METRICS_TOKEN."""
    if not (_has_token(request) or (request.user.is_authenticated and request.user.is_superuser)):
        response = HttpResponse(
            "Send the token of HILLTOP_METRICS_TOKEN, or sign in as a superuser.\n", status=401
        )
        response["WWW-Authenticate"] = "Bearer"
        response["Content-Type"] = "text/plain; charset=utf-8"
        return response
    metrics: HttpResponse = ExportToDjangoView(request)
    return metrics


def _has_token(request: HttpRequest) -> bool:
    scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and any(
        compare_digest(given.encode(), wanted.encode()) for wanted in settings.METRICS_TOKENS
    )
