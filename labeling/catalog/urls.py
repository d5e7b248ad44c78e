"""The catalog's addresses."""

from django.urls import path, re_path

from labeling.catalog.views.guideline import guideline
from labeling.catalog.views.intake import intake, intake_batch
from labeling.catalog.views.members import members
from labeling.catalog.views.photos import photo, photos
from labeling.catalog.views.projects import project_new, project_settings

urlpatterns = [
    re_path(r"^photos/(?P<sha256>[0-9a-f]{64})/(?P<variant>screen|thumb)\.webp$", photo, name="photo"),
    path("new", project_new, name="project-new"),
    path("p/<slug:slug>/settings", project_settings, name="project-settings"),
    path("p/<slug:slug>/guideline", guideline, name="guideline"),
    path("p/<slug:slug>/members", members, name="members"),
    path("p/<slug:slug>/photos", photos, name="photos"),
    path("p/<slug:slug>/intake", intake, name="intake"),
    path("p/<slug:slug>/intake/<uuid:batch_id>", intake_batch, name="intake-batch"),
]
