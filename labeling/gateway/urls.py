from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from labeling.gateway import errors, events, health
from labeling.gateway.slashes import UNMATCHED

# Values of a choice stand where they are used: shared names for them would change with every new field.
_SCHEMA = {"POSTPROCESSING_HOOKS": [], "COMPONENT_SPLIT_REQUEST": True}

urlpatterns = [
    path("p/<slug:slug>/events", events.events, name="events"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/schema/", SpectacularAPIView.as_view(custom_settings=_SCHEMA), name="api-schema"),
    path("api/v1/", include("labeling.gateway.api.urls")),
    re_path("^api(?:/.*)?$", errors.unmatched, name=UNMATCHED),
]
