from django.apps import AppConfig


class TruthConfig(AppConfig):
    name = "labeling.truth"
    label = "truth"

    def ready(self) -> None:
        from labeling.truth import receivers  # noqa: F401  (connects the signals)
