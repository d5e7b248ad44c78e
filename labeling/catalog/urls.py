"""The catalog's addresses."""

from django.urls import path, re_path

from labeling.catalog.views.guideline import guideline, guideline_object, proposal_answer
from labeling.catalog.views.guideline_editor import guideline_edit, guideline_edit_class
from labeling.catalog.views.intake import intake, intake_batch
from labeling.catalog.views.members import members
from labeling.catalog.views.near_duplicates import near_duplicates
from labeling.catalog.views.photos import photo, photo_of_old, tile
from labeling.catalog.views.projects import project_new, project_restore, project_settings
from labeling.catalog.views.sources import source, sources
from labeling.catalog.views.templates import project_template, template_file, template_remove, templates

_PHOTO = r"^photos/(?P<sha256>[0-9a-f]{64})/"
_VERSION = r"v(?P<version>[0-9]{1,4}(?:-[a-z0-9]{1,12})?)/"

urlpatterns = [
    re_path(rf"{_PHOTO}{_VERSION}(?P<variant>screen|thumb)\.webp$", photo, name="photo"),
    re_path(rf"{_PHOTO}{_VERSION}(?P<x>[0-9]{{1,3}})-(?P<y>[0-9]{{1,3}})\.webp$", tile, name="photo-tile"),
    re_path(rf"{_PHOTO}(?P<variant>screen|thumb)\.webp$", photo_of_old, name="photo-of-old"),
    path("new", project_new, name="project-new"),
    path("templates", templates, name="templates"),
    path("templates/<slug:key>.toml", template_file, name="template-file"),
    path("templates/<slug:key>/remove", template_remove, name="template-remove"),
    path("p/<slug:slug>/template", project_template, name="project-template"),
    path("p/<slug:slug>/restore", project_restore, name="project-restore"),
    path("p/<slug:slug>/settings", project_settings, name="project-settings"),
    path("p/<slug:slug>/guideline", guideline, name="guideline"),
    path("p/<slug:slug>/guideline/edit", guideline_edit, name="guideline-edit"),
    path("p/<slug:slug>/guideline/edit/<slug:class_key>", guideline_edit_class, name="guideline-edit-class"),
    path("p/<slug:slug>/guideline/<int:number>/object", guideline_object, name="guideline-object"),
    path("p/<slug:slug>/guideline/proposals/<int:proposal_id>", proposal_answer, name="proposal-answer"),
    path("p/<slug:slug>/members", members, name="members"),
    path("p/<slug:slug>/near-duplicates", near_duplicates, name="near-duplicates"),
    path("p/<slug:slug>/intake", intake, name="intake"),
    path("p/<slug:slug>/sources", sources, name="sources"),
    path("p/<slug:slug>/sources/<int:source_id>", source, name="source"),
    path("p/<slug:slug>/intake/<uuid:batch_id>", intake_batch, name="intake-batch"),
]
