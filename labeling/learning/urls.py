"""Addresses of the learning room's pages and of their live parts."""

from django.urls import path

from labeling.learning import views

urlpatterns = [
    path("p/<slug:slug>/models", views.models, name="models"),
    path("p/<slug:slug>/models/training", views.training, name="models-training"),
    path("p/<slug:slug>/models/versions", views.versions, name="models-versions"),
    path("p/<slug:slug>/models/train", views.train, name="models-train"),
    path("p/<slug:slug>/models/<int:number>", views.model, name="model"),
    path("p/<slug:slug>/models/<int:number>/promote", views.promote, name="model-promote"),
    path("p/<slug:slug>/jobs", views.jobs, name="jobs"),
    path("p/<slug:slug>/jobs/list", views.jobs_list, name="jobs-list"),
    path("p/<slug:slug>/jobs/<uuid:job_id>/cancel", views.cancel_job, name="job-cancel"),
]
