from django.urls import path

from labeling.frontier import views
from labeling.frontier.decisions import views as decision

_FRONTIER = "p/<slug:slug>/frontier"
_DECISION = f"{_FRONTIER}/decisions/<int:decision_id>"

urlpatterns = [
    path(_FRONTIER, views.frontier, name="frontier"),
    path(f"{_FRONTIER}/certify", views.certify, name="frontier-certify"),
    path(f"{_FRONTIER}/draw", views.draw, name="frontier-draw"),
    path(f"{_FRONTIER}/bands", views.bands, name="frontier-bands"),
    path(f"{_FRONTIER}/bands/open", views.open_band, name="frontier-open-band"),
    path(f"{_FRONTIER}/bands/reopen", views.reopen, name="frontier-reopen-band"),
    path(f"{_FRONTIER}/policy", views.policy, name="frontier-policy"),
    path(f"{_FRONTIER}/certificates/<int:certificate_id>/suspend", views.suspend, name="frontier-suspend"),
    path(f"{_FRONTIER}/decisions", views.decisions, name="frontier-decisions"),
    path(_DECISION, decision.decision, name="frontier-decision"),
    path(f"{_DECISION}/why", decision.ask_why, name="frontier-why"),
    path(f"{_DECISION}/heat.png", decision.heat, name="frontier-heat"),
    path(f"{_DECISION}/overrule", decision.overrule, name="frontier-overrule"),
]
