"""Addresses of the page of bundles."""

from django.urls import path

from labeling.serving.bundles import views

urlpatterns = [
    path("p/<slug:slug>/bundle", views.page, name="bundle"),
    path("p/<slug:slug>/bundle/state", views.state, name="bundle-state"),
    path("p/<slug:slug>/bundle/make", views.make, name="bundle-make"),
]
