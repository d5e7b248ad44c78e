"""For whoever watches the server: is it alive, and Prometheus figures."""

from __future__ import annotations

from contextlib import suppress
from hmac import compare_digest

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django_prometheus.exports import ExportToDjangoView

from config.postgres.outages import is_outage
from labeling.catalog.stored import to_restore
from labeling.gateway import vitals
from labeling.gateway.trouble import AWAY
from labeling.http.safe_methods import only_looked_at
from labeling.serving import asking
from labeling.serving.asking import ServiceAway


@only_looked_at
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the database answers and everything can be written, else 503 with what is wrong. Tells nothing else to
    strangers, and answers them within :data:`vitals.PATIENCE_S`, whatever is the matter. Whoever may read the metrics
    hears, while all is well, what of the store is to be restored."""
    wrong = vitals.wrong()
    if not wrong:
        try:
            return JsonResponse({"status": "ok"} | ({"restore": to_restore()} if _is_known(request) else {}))
        except DatabaseError as error:
            if not is_outage(error):
                raise
            wrong = vitals.UNREACHABLE  # since it was last looked at
    return JsonResponse({"status": wrong}, status=503, headers={"Retry-After": str(AWAY.retry_after)})


@only_looked_at
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """This process's, and behind them those of the prediction service, where it answers.

    Superusers in the browser; a scraper with ``Authorization: Bearer`` and HILLTOP_METRICS_TOKEN.
    """
    if not _is_known(request):
        response = HttpResponse(
            "Send the token of HILLTOP_METRICS_TOKEN, or sign in as a superuser.\n", status=401
        )
        response["WWW-Authenticate"] = "Bearer"
        response["Content-Type"] = "text/plain; charset=utf-8"
        return response
    metrics: HttpResponse = ExportToDjangoView(request)
    with suppress(ServiceAway):
        metrics.content += asking.metrics()
    return metrics


def _is_known(request: HttpRequest) -> bool:
    return _has_token(request) or (request.user.is_authenticated and request.user.is_superuser)


def _has_token(request: HttpRequest) -> bool:
    scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and any(
        compare_digest(given.encode(), wanted.encode()) for wanted in settings.METRICS_TOKENS
    )
