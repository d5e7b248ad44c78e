"""Prometheus figures of the prediction service, in a registry of its own: the web server's ``/metrics`` shows them too."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
_VERSION = ("project", "version")

REQUESTS = Counter("hilltop_predict_requests", "Requests that were answered", _VERSION, registry=REGISTRY)
REFUSED = Counter(
    "hilltop_predict_refused", "Requests that could not be answered", ["code"], registry=REGISTRY
)
PHOTOS = Counter(
    "hilltop_predict_photos", "Photos, by what became of them", (*_VERSION, "outcome"), registry=REGISTRY
)
SECONDS = Histogram(
    "hilltop_predict_seconds",
    "From a request's last byte to its answer",
    _VERSION,
    buckets=(0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
    registry=REGISTRY,
)
BATCH = Histogram(
    "hilltop_predict_batch_photos",
    "Photos that went through the network at once",
    buckets=(1, 2, 3, 4, 8, 16, 32),
    registry=REGISTRY,
)
WAITING = Gauge("hilltop_predict_waiting_photos", "Photos that wait for a lane", registry=REGISTRY)
LOADED = Gauge("hilltop_predict_loaded_versions", "Model versions in memory", registry=REGISTRY)
SHADOWED = Counter(
    "hilltop_predict_shadow_photos",
    "Photos that a challenger answered in the shadow, or was too busy for",
    ["project", "outcome"],
    registry=REGISTRY,
)


def exposition() -> bytes:
    return generate_latest(REGISTRY)
