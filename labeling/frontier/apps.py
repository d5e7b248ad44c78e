from django.apps import AppConfig


class FrontierConfig(AppConfig):
    name = "labeling.frontier"
    label = "frontier"

    def ready(self) -> None:
        from labeling.catalog.events import guideline_changed
        from labeling.frontier import receivers
        from labeling.frontier.alike import settled_alike
        from labeling.learning.events import promoted
        from labeling.queue.events import took_over
        from labeling.truth import likeness
        from labeling.truth.events import reopened, settled

        likeness.register(settled_alike)
        promoted.connect(receivers.on_another_champion, dispatch_uid="frontier.champion")
        guideline_changed.connect(receivers.on_another_guideline, dispatch_uid="frontier.guideline")
        took_over.connect(receivers.on_another_order, dispatch_uid="frontier.order")
        settled.connect(receivers.on_settled, dispatch_uid="frontier.settled")
        reopened.connect(receivers.on_reopened, dispatch_uid="frontier.reopened")
