"""``python -m tests.serving.tiny_service``: the prediction service, which knows the tests' small network.

Its worker is a process of its own, which imports this module, too.
"""

from __future__ import annotations

from django.conf import settings

from config.predict import serve
from tests import tiny_network

tiny_network.known()

if __name__ == "__main__":
    serve(settings.PREDICT_SOCKET)
