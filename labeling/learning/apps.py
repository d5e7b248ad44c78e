from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "labeling.learning"
    label = "learning"

    def ready(self) -> None:
        from labeling.catalog.events import items_added
        from labeling.learning import receivers
        from labeling.truth.events import settled

        items_added.connect(receivers.embed_new_items, dispatch_uid="learning.embed_new_items")
        settled.connect(receivers.retrain_after_settling, dispatch_uid="learning.retrain_after_settling")
