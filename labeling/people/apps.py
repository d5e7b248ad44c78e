from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "labeling.people"
    label = "people"
