from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "labeling.catalog"
    label = "catalog"
