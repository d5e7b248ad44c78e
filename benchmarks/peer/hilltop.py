"""Hilltop's side of the comparison: a grown project, and one that photos are uploaded to; asked over HTTP."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from benchmarks.bench_project import CLASSES, close_connections
from benchmarks.peer.http import Client
from benchmarks.routes import grown_world


class Filled:
    """Rows of ``tasks`` photos, half of them with two answers each; and tokens of those who ask."""

    def __init__(self, tasks: int) -> None:
        from labeling.people.services import make_token

        began = time.perf_counter()
        world = grown_world(tasks, answers=tasks // 2 * 2)
        self.slug = world.project.slug
        people = [world.superuser, world.labeler, world.second]
        self.tokens = [make_token(user=person, name="benchmark")[1] for person in people]
        self.filled_s = time.perf_counter() - began
        self.first, self.last = self._ids(world.project)
        close_connections()

    @staticmethod
    def _ids(project: Any) -> tuple[int, int]:
        from django.db.models import Max, Min

        found = project.items.aggregate(Min("pk"), Max("pk"))
        return int(found["pk__min"]), int(found["pk__max"])


class Hilltop:
    def __init__(self, url: str, filled: Filled) -> None:
        self.filled = filled
        self.admin, *self.labelers = (Client(f"{url}/api/v1", f"Token {token}") for token in filled.tokens)
        self.turn = 0
        uploads = {"slug": "uploads", "name": "Uploads", "question": "Does it work?", "classes": CLASSES}
        self.admin.ask("POST", "/projects", json=uploads)

    def take_in(self, photos: list[Path]) -> float:
        """Until the photos can be labeled: decoded, checked, stored, with renditions."""
        said, took = self.admin.upload("/projects/uploads/intake", photos)
        job = said["job"]
        began = time.perf_counter()
        while job["state"] in {"queued", "running"}:
            time.sleep(0.02)
            job, _took = self.admin.ask("GET", f"/projects/uploads/jobs/{job['id']}")
        took += time.perf_counter() - began
        assert job["state"] == "succeeded", job
        return took

    def settle(self) -> None:
        """What follows an intake (embedding) would slow the other side down."""
        while True:
            jobs, _took = self.admin.ask("GET", "/projects/uploads/jobs?limit=100")
            if not any(job["state"] in {"queued", "running"} for job in jobs["results"]):
                return
            time.sleep(0.2)

    def next(self) -> tuple[str, float]:
        self.turn += 1
        said, took = self._labeler.ask("POST", f"/projects/{self.filled.slug}/claims", json={"count": 1})
        return str(said["tasks"][0]["lease"]), took

    def submit(self, lease: str, value: str) -> float:
        body = {"key": str(uuid.uuid4()), "lease": lease, "kind": "class", "class": value, "view_ms": 1500}
        return self._labeler.ask("POST", f"/projects/{self.filled.slug}/annotations", json=body)[1]

    @property
    def _labeler(self) -> Client:
        return self.labelers[self.turn % len(self.labelers)]

    def page(self, at: float) -> float:
        """Of 100 photos, ``at`` the share (0 to 1) of the list."""
        cursor = self.filled.first + int(at * (self.filled.last - self.filled.first - 101))
        found, took = self.admin.ask("GET", f"/projects/{self.filled.slug}/items?limit=100&cursor={cursor}")
        assert len(found["results"]) == 100
        return took

    def export(self, most_s: float) -> tuple[int, float]:
        return self.admin.download(f"/projects/{self.filled.slug}/export/annotations.jsonl", most_s)

    def close(self) -> None:
        for client in (self.admin, *self.labelers):
            client.close()
