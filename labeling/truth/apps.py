from django.apps import AppConfig


class TruthConfig(AppConfig):
    name = "labeling.truth"
    label = "truth"
