"""A Hilltop server, as one person's token sees it."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Self

from hilltop_client.connection import Connection
from hilltop_client.project import Project


class Hilltop:
    """``url`` and ``token`` are read from HILLTOP_URL and HILLTOP_TOKEN where they are left out."""

    def __init__(self, url: str = "", token: str = "", **options: Any) -> None:
        url = url or os.environ.get("HILLTOP_URL", "http://localhost:8000")
        self.connection = Connection(url, token or os.environ.get("HILLTOP_TOKEN", ""), **options)

    @classmethod
    def signed_in(cls, url: str, username: str, password: str, *, code: str = "", days: int = 7) -> Self:
        """With a fresh token that ends after ``days``. ``code``: of the app, where the account signs in in two steps."""
        body = {"username": username, "password": password, "days": days, "name": "hilltop_client"}
        told = Connection(url, "").post("login", body | ({"code": code} if code else {}))
        return cls(url, told["token"])

    def projects(self) -> list[dict[str, Any]]:
        """Those that the person is a member of."""
        told: list[dict[str, Any]] = self.connection.get("projects")
        return told

    def project(self, slug: str) -> Project:
        """Raises :class:`~hilltop_client.HilltopError` ``not_found`` where it is none of the person's."""
        return Project(self.connection, slug, self.connection.get(f"projects/{slug}"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
