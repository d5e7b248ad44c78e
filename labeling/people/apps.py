from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "labeling.people"
    label = "people"

    def ready(self) -> None:
        from labeling.people import checks, receivers  # noqa: F401  (registers them)
