from django.apps import AppConfig


class OverviewConfig(AppConfig):
    name = "labeling.overview"
    label = "overview"
