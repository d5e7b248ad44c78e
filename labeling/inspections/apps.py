from django.apps import AppConfig


class InspectionsConfig(AppConfig):
    name = "labeling.inspections"
    label = "inspections"

    def ready(self) -> None:
        from labeling.inspections import receivers  # noqa: F401  (connects the signals)
