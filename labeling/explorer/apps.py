from django.apps import AppConfig


class ExplorerConfig(AppConfig):
    name = "labeling.explorer"
    label = "explorer"
