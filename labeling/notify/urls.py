from django.urls import path

from labeling.notify import mail_views, views

urlpatterns = [
    path("p/<slug:slug>/webhooks", views.webhooks, name="webhooks"),
    path("p/<slug:slug>/webhooks/<uuid:endpoint_id>", views.webhook, name="webhook"),
    path("unsubscribe/<str:token>", mail_views.unsubscribe, name="unsubscribe"),
]
