from django.urls import path

from labeling.inspections import verdict_views as verdicts
from labeling.inspections.capture import views as capture

_PROTOCOL = "protocols/<slug:protocol>/"

urlpatterns = [
    path(f"{_PROTOCOL}inspections/<int:inspection_id>/", verdicts.inspection, name="inspection"),
    path(
        f"{_PROTOCOL}inspections/<int:inspection_id>/overrule", verdicts.overrule, name="inspection-overrule"
    ),
    path(f"{_PROTOCOL}rules/", verdicts.rules, name="protocol-rules"),
    path(f"{_PROTOCOL}rules/try", verdicts.change_rules, name="protocol-rules-change"),
    path(f"{_PROTOCOL}links/", capture.capture_links, name="protocol-links"),
    path("links/<uuid:link_id>", capture.capture_link, name="capture-link"),
    path("capture/<str:token>/", capture.capture, name="capture"),
]
