from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "labeling.learning"
    label = "learning"
