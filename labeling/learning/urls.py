"""Addresses of the learning room's pages and of their live parts."""

from django.urls import path

from labeling.learning import derive_views, views
from labeling.learning.adaptation import views as adaptation_views
from labeling.learning.backbones import views as backbones_views
from labeling.learning.importing import views as importing_views
from labeling.learning.lab import views as lab_views

urlpatterns = [
    path("p/<slug:slug>/models", views.models, name="models"),
    path("p/<slug:slug>/models/training", views.training, name="models-training"),
    path("p/<slug:slug>/models/versions", views.versions, name="models-versions"),
    path("p/<slug:slug>/models/train", views.train, name="models-train"),
    path("p/<slug:slug>/models/<int:number>", views.model, name="model"),
    path("p/<slug:slug>/models/<int:number>/promote", views.promote, name="model-promote"),
    path("p/<slug:slug>/models/import", importing_views.model, name="model-import"),
    path("p/<slug:slug>/models/import/<uuid:job_id>", importing_views.step, name="model-import-step"),
    path("p/<slug:slug>/backbones", backbones_views.page, name="backbones"),
    path("p/<slug:slug>/backbones/state", backbones_views.state, name="backbones-state"),
    path("p/<slug:slug>/backbones/change", backbones_views.change, name="backbones-change"),
    path("p/<slug:slug>/adaptation", adaptation_views.page, name="adaptation"),
    path("p/<slug:slug>/adaptation/result", adaptation_views.result, name="adaptation-result"),
    path("p/<slug:slug>/adaptation/run", adaptation_views.run, name="adaptation-run"),
    path("p/<slug:slug>/lab", lab_views.page, name="lab"),
    path("p/<slug:slug>/lab/result", lab_views.result, name="lab-result"),
    path("p/<slug:slug>/lab/run", lab_views.run, name="lab-run"),
    path("p/<slug:slug>/lab/adopt", lab_views.adopt, name="lab-adopt"),
    path("p/<slug:slug>/lab/<uuid:job_id>", lab_views.earlier, name="lab-earlier"),
    path("p/<slug:slug>/models/<int:number>/cell/<slug:truth>/<slug:said>", views.cell, name="model-cell"),
    path("p/<slug:slug>/models/<int:number>/review", views.review_suspicious, name="model-review"),
    path("p/<slug:slug>/derive", derive_views.derive, name="derive"),
    path("p/<slug:slug>/jobs/<uuid:job_id>/retry", views.retry_job, name="job-retry"),
    path("p/<slug:slug>/jobs", views.jobs, name="jobs"),
    path("p/<slug:slug>/jobs/list", views.jobs_list, name="jobs-list"),
    path("p/<slug:slug>/jobs/<uuid:job_id>/cancel", views.cancel_job, name="job-cancel"),
]
