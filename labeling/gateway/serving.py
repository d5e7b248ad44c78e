"""Where the web server listens, as the environment says, and the processes that make up a running Hilltop."""

from __future__ import annotations

import os
from dataclasses import dataclass

from config.supervise import Program, predictions, web, worker

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOOPBACK

    @property
    def url(self) -> str:
        everywhere = {"0.0.0.0", "::"}  # noqa: S104  (compared with, not bound to)
        host = "127.0.0.1" if self.host in everywhere else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def address() -> Address:
    """From ``HILLTOP_HOST`` (default 127.0.0.1) and ``HILLTOP_PORT`` (default 8000)."""
    return Address(os.environ.get("HILLTOP_HOST") or "127.0.0.1", int(os.environ.get("HILLTOP_PORT") or 8000))


def programs(at: Address) -> list[Program]:
    """The web server, its prediction service unless ``HILLTOP_PREDICT`` is 0, and the job workers (``HILLTOP_WEB_WORKERS``,
    default 2; ``HILLTOP_WORKERS``, default 1)."""
    workers = int(os.environ.get("HILLTOP_WORKERS") or 1)
    return [
        web(host=at.host, port=at.port, workers=int(os.environ.get("HILLTOP_WEB_WORKERS") or 2)),
        *([] if os.environ.get("HILLTOP_PREDICT") == "0" else [predictions()]),
        *(worker(number) for number in range(1, workers + 1)),
    ]
