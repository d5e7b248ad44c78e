"""The inspections' addresses."""

from django.urls import path

from labeling.inspections.editing import views as editing
from labeling.inspections.protocol_templates import views as templates

urlpatterns = [
    path("protocols/new/", templates.protocol_new, name="protocol-new"),
    path("protocols/templates/", templates.protocol_templates, name="protocol-templates"),
    path(
        "protocols/templates/<slug:key>.toml", templates.protocol_template_file, name="protocol-template-file"
    ),
    path(
        "protocols/templates/<slug:key>/remove/",
        templates.protocol_template_remove,
        name="protocol-template-remove",
    ),
    path("protocols/<slug:protocol>/template/", templates.protocol_template, name="protocol-template"),
    path("protocols/<slug:protocol>/shots/", editing.protocol_shots, name="protocol-shots"),
]
