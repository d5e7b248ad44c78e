from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "labeling.exchange"
    label = "exchange"

    def ready(self) -> None:
        from labeling.exchange import receivers  # noqa: F401  (connects the signals)
