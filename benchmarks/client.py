"""A person at the API: signs in, then asks and answers over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx


class ApiError(Exception):
    """The API said no. ``code`` is its own word for why."""

    def __init__(self, response: httpx.Response) -> None:
        try:
            said = response.json()["error"]
        except (ValueError, KeyError):
            said = {"code": "", "message": response.text[:300]}
        super().__init__(f"{response.request.method} {response.request.url}: {response.status_code} {said}")
        self.status = response.status_code
        self.code = str(said["code"])


class Person:
    """One signed-in person. ``project`` goes in front of every relative address."""

    def __init__(self, url: str, username: str, password: str, *, token: str = "") -> None:
        """``token``: where there is one already, which spares signing in."""
        self.username = username
        self.http = httpx.Client(base_url=f"{url}/api/v1/", timeout=60)
        token = token or self.post("login", {"username": username, "password": password})["token"]
        self.http.headers["Authorization"] = f"Token {token}"

    def get(self, path: str, **query: Any) -> Any:
        return _read(self.http.get(path, params=query))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return _read(self.http.post(path, json=body or {}))

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return _read(self.http.put(path, json=body))

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Every row of a paged list."""
        page = self.get(path, limit=1000, **query)
        while True:
            yield from page["results"]
            if page["next"] is None:
                return
            page = _read(self.http.get(page["next"]))

    def wait_for(self, project: str, job: dict[str, Any], timeout: float = 600.0) -> dict[str, Any]:
        """Wait until a job of ``project`` is over; return it. A failed job ends the benchmark."""
        deadline = time.monotonic() + timeout
        while job["state"] in {"queued", "running"}:
            if time.monotonic() > deadline:
                raise SystemExit(f"a job did not end in {timeout:.0f} s: {job}")
            time.sleep(0.1)
            job = self.get(f"projects/{project}/jobs/{job['id']}")
        if job["state"] != "succeeded":
            raise SystemExit(f"{job['kind']} {job['state']}: {job['error']}")
        return job

    def wait_until_settled(self, project: str, kinds: set[str], timeout: float = 600.0) -> None:
        """Wait until no job of these kinds is queued or running."""
        deadline = time.monotonic() + timeout
        while True:
            jobs = self.get(f"projects/{project}/jobs", limit=50)["results"]
            if not any(job["kind"] in kinds and job["state"] in {"queued", "running"} for job in jobs):
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"jobs did not end in {timeout:.0f} s")
            time.sleep(0.1)


def _read(response: httpx.Response) -> Any:
    if response.is_error:
        raise ApiError(response)
    return response.json() if response.content else None
