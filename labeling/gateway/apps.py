from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "labeling.gateway"
    label = "gateway"
