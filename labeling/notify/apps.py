from django.apps import AppConfig


class NotifyConfig(AppConfig):
    name = "labeling.notify"
    label = "notify"

    def ready(self) -> None:
        from labeling.notify import receivers  # noqa: F401  (connects the signals)
