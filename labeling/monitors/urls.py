from django.urls import path

from labeling.monitors import views

_MONITORS = "p/<slug:slug>/monitors"

urlpatterns = [
    path(_MONITORS, views.monitors, name="monitors"),
    path(f"{_MONITORS}/look", views.look, name="monitors-look"),
    path(f"{_MONITORS}/thresholds", views.thresholds, name="monitors-thresholds"),
    path(f"{_MONITORS}/alerts/<int:alert_id>/acknowledge", views.acknowledge, name="monitors-acknowledge"),
]
