from django.apps import AppConfig


class FrontierConfig(AppConfig):
    name = "labeling.frontier"
    label = "frontier"

    def ready(self) -> None:
        from labeling.frontier.alike import settled_alike
        from labeling.truth import likeness

        likeness.register(settled_alike)
