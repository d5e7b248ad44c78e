from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "labeling.catalog"
    label = "catalog"

    def ready(self) -> None:
        from labeling.catalog import checks, receivers  # noqa: F401  (connects them)
        from labeling.catalog.sources import errors  # noqa: F401  (names them)
