"""How several workers embed one pool: parts of a few hundred photos, each taken by one of them at a time.

A part is claimed with an advisory lock of PostgreSQL, which ends with its session: what a killed worker had claimed is
free at once. The job ``embed`` walks over all parts, counts for the people who wait, and asks for help as long as workers
outnumber helpers; a helper is a short job that walks over the same parts. Losing a claim (a connection that broke) costs a
part embedded twice and nothing else, as the store takes the same vectors twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from django.db import connection

from labeling.catalog.models import Item, Project
from labeling.database.locks import try_to_hold
from labeling.jobs.models import Job
from labeling.jobs.services import LAST, enqueue

#: Photos in a part: a few seconds on two cores.
PART = 512
#: A helper goes back into the queue after so long, so that trainings get their turn.
HELP_S = 30.0
#: How often the job looks whether there are workers to ask.
ASK_EVERY_S = 5.0
#: A worker is there if its heart beat within so many seconds; it beats every 2.
_ALIVE_S = 10.0

# One embedding at a time in a process: it has all cores, or the GPU, already.
_busy = threading.Lock()


@dataclass(frozen=True)
class Part:
    """Consecutive items of a project. Items are only ever appended, so every worker sees the same parts."""

    project_id: int
    first: int
    hashes: list[str]


def parts(project: Project) -> Iterator[Part]:
    """The project's photos in the order of intake."""
    last = 0
    while True:
        rows = list(
            Item.objects.filter(project=project, pk__gt=last)
            .order_by("pk")
            .values_list("pk", "image__sha256")[:PART]
        )
        if not rows:
            return
        last = rows[-1][0]
        yield Part(project.pk, rows[0][0], [sha256 for _, sha256 in rows])


def claimed(part: Part, backbone_hash: str) -> AbstractContextManager[bool]:
    """Whether the part is the caller's until the block ends; never waits."""
    return try_to_hold(f"embed {backbone_hash} {part.project_id} {part.first}")


@contextmanager
def this_process() -> Iterator[bool]:
    """Whether nobody else in this process embeds; the others do not wait."""
    mine = _busy.acquire(blocking=False)
    try:
        yield mine
    finally:
        if mine:
            _busy.release()


@dataclass
class Helpers:
    """Asks other workers to help with a project's embedding, now and then."""

    project: Project
    _next: float = field(default_factory=lambda: time.monotonic() + ASK_EVERY_S)
    _pause: float = ASK_EVERY_S

    def ask(self) -> None:
        """Enqueue one helper if a worker may be idle; less often while none could be used."""
        now = time.monotonic()
        if now < self._next:
            return
        helpers = Job.objects.of_project(self.project.pk).filter(kind="embed_help")
        newest = helpers.order_by("-created_at").first()
        if newest is not None and newest.result and newest.result.get("busy"):
            self._pause = min(2 * self._pause, 300.0)
        else:
            self._pause = ASK_EVERY_S
        self._next = now + self._pause
        if helpers.live().count() + 1 < workers_alive():
            enqueue(kind="embed_help", queue="gpu", project_id=self.project.pk, priority=LAST)


def workers_alive() -> int:
    """Job workers whose heart beats."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)",
            [_ALIVE_S],
        )
        (count,) = cursor.fetchone() or (0,)
    return int(count)
