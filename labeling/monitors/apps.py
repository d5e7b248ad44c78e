from django.apps import AppConfig


class MonitorsConfig(AppConfig):
    name = "labeling.monitors"
    label = "monitors"

    def ready(self) -> None:
        from labeling.monitors import receivers  # noqa: F401  (connects the signals)
