from django.urls import path

from labeling.frontier import dashboard_views, page_views, views
from labeling.frontier.monitors import views as monitors

_FRONTIER = "p/<slug:slug>/frontier"

urlpatterns = [
    path("p/<slug:slug>/", views.project, name="project"),
    path("p/<slug:slug>/dashboard", dashboard_views.page, name="dashboard"),
    path("p/<slug:slug>/monitors", monitors.monitors, name="monitors"),
    path("p/<slug:slug>/monitors/look", monitors.look, name="monitors-look"),
    path("p/<slug:slug>/monitors/thresholds", monitors.thresholds, name="monitors-thresholds"),
    path(
        "p/<slug:slug>/monitors/alerts/<int:alert_id>/acknowledge",
        monitors.acknowledge,
        name="monitors-acknowledge",
    ),
    path(_FRONTIER, page_views.frontier, name="frontier"),
    path(f"{_FRONTIER}/certify", page_views.certify, name="frontier-certify"),
    path(f"{_FRONTIER}/draw", page_views.draw, name="frontier-draw"),
    path(f"{_FRONTIER}/bands/open", page_views.open_band, name="frontier-open-band"),
    path(f"{_FRONTIER}/bands/reopen", page_views.reopen, name="frontier-reopen-band"),
    path(f"{_FRONTIER}/policy", page_views.policy, name="frontier-policy"),
    path(
        f"{_FRONTIER}/certificates/<int:certificate_id>/suspend", page_views.suspend, name="frontier-suspend"
    ),
    path(f"{_FRONTIER}/decisions/<int:decision_id>", page_views.decision, name="frontier-decision"),
    path(f"{_FRONTIER}/decisions/<int:decision_id>/why", page_views.ask_why, name="frontier-why"),
    path(f"{_FRONTIER}/decisions/<int:decision_id>/heat.png", page_views.heat, name="frontier-heat"),
    path(f"{_FRONTIER}/decisions/<int:decision_id>/overrule", page_views.overrule, name="frontier-overrule"),
]
