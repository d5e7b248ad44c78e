from django.apps import AppConfig


class ErasureConfig(AppConfig):
    name = "labeling.erasure"
    label = "erasure"
