from django.urls import path

from labeling.queue import views

urlpatterns = [
    path("p/<slug:slug>/label", views.label, name="label"),
    path("p/<slug:slug>/label/criteria/<str:key>", views.criteria, name="label-criteria"),
    path("p/<slug:slug>/sweep", views.sweep, name="sweep"),
]
