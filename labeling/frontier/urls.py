from django.urls import path

from labeling.frontier import views

urlpatterns = [path("p/<slug:slug>/", views.project, name="project")]
