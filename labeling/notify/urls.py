from django.urls import path

from labeling.notify import mail_views, views
from labeling.notify.slack import views as slack

urlpatterns = [
    path("p/<slug:slug>/webhooks", views.webhooks, name="webhooks"),
    path("p/<slug:slug>/webhooks/<uuid:endpoint_id>", views.webhook, name="webhook"),
    path("unsubscribe/<str:token>", mail_views.unsubscribe, name="unsubscribe"),
    path("slack/actions", slack.actions, name="slack-actions"),
    path("slack/pictures/<str:token>.jpg", slack.picture, name="slack-picture"),
    path("slack/link/<str:token>", slack.link, name="slack-link"),
]
