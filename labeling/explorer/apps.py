from django.apps import AppConfig


class ExplorerConfig(AppConfig):
    name = "labeling.explorer"
    label = "explorer"

    def ready(self) -> None:
        from labeling.explorer import receivers  # noqa: F401  (connects the signals)
