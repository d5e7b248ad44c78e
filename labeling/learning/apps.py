from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "labeling.learning"
    label = "learning"

    def ready(self) -> None:
        from labeling.learning import receivers  # noqa: F401  (connects the signals)
        from labeling.learning.lookalikes import lookalikes_of
        from labeling.truth import similar

        similar.register(lookalikes_of)
