from django.urls import include, path, re_path

from labeling.gateway import errors, events, health
from labeling.gateway.schema import SchemaView
from labeling.gateway.slashes import UNMATCHED

urlpatterns = [
    path("p/<slug:slug>/events", events.events, name="events"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/v1/", include("labeling.gateway.api.urls")),
    re_path("^api(?:/.*)?$", errors.unmatched, name=UNMATCHED),
]
