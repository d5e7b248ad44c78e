"""Requests of one signed-in program: retried where that is harmless, refused in the server's words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx

from hilltop_client.errors import HilltopError, raise_refused

#: The server asks to come again: too many requests, or something that it needs is away.
_LATER = {429, 503}
_LONGEST_PAUSE_S = 60.0
#: Between two looks at a job.
_LOOK_S = 0.5


class Connection:
    """``tries``: how often a request goes out before its trouble is told. Closed as a context or by :meth:`close`."""

    def __init__(self, url: str, token: str, *, tries: int = 5, timeout: float = 60.0) -> None:
        headers = {"Authorization": f"Token {token}"} if token else {}
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1/", headers=headers, timeout=timeout)
        self._tries = tries

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **parameters: Any) -> Any:
        return self.send("GET", path, params=said(parameters)).json()

    def post(self, path: str, body: dict[str, Any], **parameters: Any) -> Any:
        """Not repeated where the line breaks; what is safe to repeat says so with ``send``."""
        return self.send("POST", path, json=body, params=said(parameters), again=False).json()

    def send(self, method: str, path: str, *, again: bool = True, **options: Any) -> httpx.Response:
        """The answer, if it is one. ``again``: also after a broken line; what was asked to come later always is.

        Raises :class:`HilltopError`; its code is ``no_connection`` where there was no answer at all.
        """
        pause = 0.5
        for left in reversed(range(self._tries)):
            try:
                response = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                if not (again and left):
                    raise HilltopError(
                        "no_connection", f"{self._http.base_url} cannot be reached: {error!r}"
                    ) from error
                time.sleep(pause)
            else:
                if response.status_code not in _LATER or not left:
                    raise_refused(response)
                    return response
                time.sleep(min(_seconds(response.headers.get("Retry-After"), pause), _LONGEST_PAUSE_S))
            pause = min(2 * pause, _LONGEST_PAUSE_S)
        raise AssertionError("the last try returns or raises")

    def rows(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """All rows of a list, page by page as they are taken."""
        page = self.get(path, **parameters)
        yield from page["results"]
        while page["next"]:
            page = self.send("GET", page["next"]).json()
            yield from page["results"]

    def finished(self, project: str, job: dict[str, Any], *, timeout: float) -> dict[str, Any]:
        """The job when it has ended well.

        Raises :class:`HilltopError`: ``job_failed`` with what it says, ``job_cancelled``, ``too_slow`` after ``timeout``.
        """
        until = time.monotonic() + timeout
        while job["state"] not in ("succeeded", "failed", "cancelled"):
            if time.monotonic() > until:
                raise HilltopError(
                    "too_slow", f"The job has not ended in {timeout:g} s; ask for {job['id']} later."
                )
            time.sleep(_LOOK_S)
            job = self.get(f"projects/{project}/jobs/{job['id']}")
        if job["state"] != "succeeded":
            raise HilltopError(f"job_{job['state']}", job["error"] or "The job was cancelled.")
        return job


def said(parameters: dict[str, Any]) -> dict[str, Any]:
    """Without those that are ``None``; moments as ISO 8601."""
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in parameters.items()
        if value is not None
    }


def _seconds(text: str | None, otherwise: float) -> float:
    try:
        return max(0.0, float(text or ""))
    except ValueError:
        return otherwise
