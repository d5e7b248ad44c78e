from django.urls import path

from labeling.overview import home, views
from labeling.overview.dashboard import views as dashboard
from labeling.overview.trail import views as trail
from labeling.overview.week import views as week

urlpatterns = [
    path("", home.home, name="home"),
    path("people/trail", trail.page, name="audit-trail"),
    path("p/<slug:slug>/", views.project, name="project"),
    path("p/<slug:slug>/dashboard", dashboard.page, name="dashboard"),
    path("p/<slug:slug>/week", week.page, name="week"),
]
