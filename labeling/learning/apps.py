from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "labeling.learning"
    label = "learning"

    def ready(self) -> None:
        from labeling.catalog.events import items_added, settings_changed
        from labeling.learning import receivers
        from labeling.learning.events import embedded
        from labeling.truth.events import settled

        items_added.connect(receivers.embed_new_items, dispatch_uid="learning.embed_new_items")
        settings_changed.connect(
            receivers.embed_with_another_backbone, dispatch_uid="learning.embed_with_another_backbone"
        )
        embedded.connect(receivers.adapt_to_the_pool, dispatch_uid="learning.adapt_to_the_pool")
        settled.connect(receivers.retrain_after_settling, dispatch_uid="learning.retrain_after_settling")
