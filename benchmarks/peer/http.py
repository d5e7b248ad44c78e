"""What both sides are asked with: one kept-alive connection, timed from the first byte out to the last byte in."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import httpx

logging.getLogger("httpx").setLevel(logging.WARNING)


class Failed(SystemExit):
    """A side said no, and the comparison is worth nothing."""


class Client:
    """``authorization``: the whole header. Errors end the benchmark: a refusal is fast."""

    def __init__(self, base: str, authorization: str) -> None:
        self._http = httpx.Client(base_url=base, timeout=1800, headers={"Authorization": authorization})

    def ask(self, method: str, path: str, **sent: Any) -> tuple[Any, float]:
        """The JSON answer, and the seconds it took."""
        began = time.perf_counter()
        response = self._http.request(method, path, **sent)
        took = time.perf_counter() - began
        if response.is_error:
            raise Failed(f"{method} {response.request.url}: {response.status_code} {response.text[:500]}")
        return (response.json() if response.content else None), took

    def upload(self, path: str, photos: list[Path]) -> tuple[Any, float]:
        files = [("files", (photo.name, photo.read_bytes(), "image/png")) for photo in photos]
        return self.ask("POST", path, files=files)

    def download(self, path: str, most_s: float) -> tuple[int, float]:
        """Bytes, and the seconds until the last; what comes is not kept. After ``most_s`` it is given up: 0 bytes."""
        began, size = time.perf_counter(), 0
        try:
            with self._http.stream("GET", path, timeout=most_s) as response:
                if response.is_error:
                    raise Failed(
                        f"GET {response.request.url}: {response.status_code} {response.read()[:500]!r}"
                    )
                for piece in response.iter_bytes():
                    size += len(piece)
                    if time.perf_counter() - began > most_s:
                        return 0, most_s
        except httpx.TimeoutException:
            return 0, most_s
        return size, time.perf_counter() - began

    def close(self) -> None:
        self._http.close()
