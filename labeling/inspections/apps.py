from django.apps import AppConfig


class InspectionsConfig(AppConfig):
    name = "labeling.inspections"
    label = "inspections"
