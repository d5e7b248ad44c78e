import gc

from django.apps import AppConfig

import config


class GatewayConfig(AppConfig):
    name = "labeling.gateway"
    label = "gateway"

    def ready(self) -> None:
        """The last room: what is loaded by now stays, and is looked through no more."""
        gc.freeze()
        gc.set_threshold(*config.COLLECTING)
