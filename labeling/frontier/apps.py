from django.apps import AppConfig


class FrontierConfig(AppConfig):
    name = "labeling.frontier"
    label = "frontier"
