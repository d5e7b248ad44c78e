from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "labeling.learning"
    label = "learning"

    def ready(self) -> None:
        from labeling.learning import receivers  # noqa: F401  (connects the signals)
