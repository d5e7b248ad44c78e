from django.apps import AppConfig


class ServingConfig(AppConfig):
    name = "labeling.serving"
    label = "serving"
