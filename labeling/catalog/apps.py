from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "labeling.catalog"
    label = "catalog"

    def ready(self) -> None:
        from labeling.catalog import checks, receivers, source_errors  # noqa: F401  (connects them)
