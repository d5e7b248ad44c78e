from django.urls import path

from labeling.serving import views
from labeling.serving.bundles import views as bundles

urlpatterns = [
    path("p/<slug:slug>/models/shadow", views.shadow, name="models-shadow"),
    path("p/<slug:slug>/bundle", bundles.page, name="bundle"),
    path("p/<slug:slug>/bundle/state", bundles.state, name="bundle-state"),
    path("p/<slug:slug>/bundle/make", bundles.make, name="bundle-make"),
]
