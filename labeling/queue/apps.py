from django.apps import AppConfig


class QueueConfig(AppConfig):
    name = "labeling.queue"
    label = "queue"
