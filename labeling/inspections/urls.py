"""The inspections' addresses."""

from django.urls import path

from labeling.inspections import verdict_views as verdicts
from labeling.inspections.capture import views as capture
from labeling.inspections.editing import views as editing
from labeling.inspections.process import views as process
from labeling.inspections.protocol_templates import views as templates

_TEMPLATES = "protocols/templates/"
_PROTOCOL = "protocols/<slug:protocol>/"

urlpatterns = [
    path("protocols/new/", templates.protocol_new, name="protocol-new"),
    path(_TEMPLATES, templates.protocol_templates, name="protocol-templates"),
    path(f"{_TEMPLATES}<slug:key>.toml", templates.protocol_template_file, name="protocol-template-file"),
    path(
        f"{_TEMPLATES}<slug:key>/remove/", templates.protocol_template_remove, name="protocol-template-remove"
    ),
    path(f"{_PROTOCOL}template/", templates.protocol_template, name="protocol-template"),
    path(f"{_PROTOCOL}archive", editing.protocol_archive, name="protocol-archive"),
    path(f"{_PROTOCOL}shots/", editing.protocol_shots, name="protocol-shots"),
    path("protocols/", process.protocols, name="protocols"),
    path(_PROTOCOL, process.inspections, name="protocol"),
    path(f"{_PROTOCOL}figures/", process.protocol_figures, name="protocol-figures"),
    path(f"{_PROTOCOL}inspections/<int:inspection_id>/", verdicts.inspection, name="inspection"),
    path(
        f"{_PROTOCOL}inspections/<int:inspection_id>/overrule", verdicts.overrule, name="inspection-overrule"
    ),
    path(f"{_PROTOCOL}rules/", verdicts.rules, name="protocol-rules"),
    path(f"{_PROTOCOL}rules/try", verdicts.change_rules, name="protocol-rules-change"),
    path(f"{_PROTOCOL}links/", capture.capture_links, name="protocol-links"),
    path("links/<uuid:link_id>", capture.capture_link, name="capture-link"),
    path("capture/<str:token>/", capture.capture, name="capture"),
    path("assets/<slug:kind>/<path:identifier>/", process.asset, name="asset"),
]
