from django.apps import AppConfig


class FrontierConfig(AppConfig):
    name = "labeling.frontier"
    label = "frontier"

    def ready(self) -> None:
        from labeling.frontier import receivers  # noqa: F401  (connects the signals)
