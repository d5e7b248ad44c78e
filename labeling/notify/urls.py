from django.urls import path

from labeling.notify import views

urlpatterns = [
    path("p/<slug:slug>/webhooks", views.webhooks, name="webhooks"),
    path("p/<slug:slug>/webhooks/<uuid:endpoint_id>", views.webhook, name="webhook"),
]
