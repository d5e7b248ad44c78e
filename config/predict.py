"""The prediction service: ``python -m config.predict``, and what it serves (WSGI).

What it needs of the library is loaded with the first request, so a Hilltop that nobody asks for predictions pays for an idle
process, and not for networks. ``GET /metrics`` is no such request.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from config.database import ensure_database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["HILLTOP_ROLE"] = "predict"

#: Requests that are worked on side by side, so that their photos make batches.
AT_ONCE = 32
#: Bytes of a socket's path that Linux and macOS both take (unix(7): sun_path, with a NUL at its end).
LONGEST_PATH = 103

_loading = threading.Lock()
_service: Any = None


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    global _service
    if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", "/metrics"):
        return _figures(start_response)
    with _loading:
        if _service is None:
            _service = _load()
    from django.db import connections

    try:
        answer: Iterable[bytes] = _service(environ, start_response)
        return answer
    finally:
        connections.close_all()  # there is one of this thread's where a version was loaded


def _figures(start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Whoever scrapes them does not ask for predictions."""
    from labeling.serving.compute import metrics

    start_response("200 OK", [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")])
    return [metrics.exposition()]


def _load() -> Any:
    ensure_database()
    import django

    django.setup(set_prefix=False)
    from labeling.serving.compute.service import Service

    return Service()


def serve(socket_file: Path) -> None:
    """Until the process is told to end. Whoever may open ``socket_file`` may ask: this account alone."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    if len(os.fsencode(socket_file)) > LONGEST_PATH:
        sys.exit(
            f"{socket_file} is too long for a socket. Name a shorter one: HILLTOP_PREDICT_SOCKET=/run/hilltop/predict.sock"
        )
    socket_file.parent.mkdir(parents=True, exist_ok=True)
    socket_file.unlink(missing_ok=True)  # of a service that was killed
    Granian(
        "config.predict:application",
        uds=socket_file,
        uds_permissions=0o600,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=AT_ONCE,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=5,
        websockets=False,
        log_level=LogLevels.error,  # it warns of so many threads, which wait here for one another's batch
    ).serve()


if __name__ == "__main__":
    ensure_database()
    from django.conf import settings

    serve(settings.PREDICT_SOCKET)
