from django.apps import AppConfig


class QueueConfig(AppConfig):
    name = "labeling.queue"
    label = "queue"

    def ready(self) -> None:
        from labeling.queue import receivers  # noqa: F401  (connects the signals)
