"""What PostgreSQL notifies, handed on to whoever watches a project: one connection a web process, not one a viewer."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection

logger = logging.getLogger(__name__)

CHANNEL = "hilltop_events"
KINDS = frozenset({"jobs", "progress", "activity"})
#: All sessions of a person ended; see labeling/people/access.py.
ENDED = "ended"
_CHECK_EVERY_S = 30.0
_LONGEST_WAIT_S = 10.0


class Mailbox:
    """The kinds of event that one viewer has not been told of yet. Any number of the same kind are one."""

    def __init__(self, user_id: int = 0) -> None:
        self.user_id = user_id
        self._kinds: set[str] = set()
        self._full = asyncio.Event()

    def put(self, *kinds: str) -> None:
        self._kinds.update(kinds)
        self._full.set()

    async def take(self, *, timeout: float) -> set[str]:
        """The waiting kinds; empty when none came within ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._full.wait()
        except TimeoutError:
            return set()
        kinds, self._kinds = self._kinds, set()
        self._full.clear()
        return kinds


class Hub:
    """Listens while anybody watches. All of it runs on one event loop, so no locks."""

    def __init__(self) -> None:
        self._boxes: dict[int, set[Mailbox]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    async def watch(self, project_id: int, box: Mailbox) -> None:
        """Put what is committed from now on (that is, after this returns) into ``box``, until it leaves.

        Whoever is cut off while this waits is in already, and leaves like everybody else.
        """
        self._boxes[project_id].add(box)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        try:
            async with asyncio.timeout(5):
                await self._listening.wait()
        except TimeoutError:
            pass  # the database is away; the mailbox is filled as soon as it is back

    def leave(self, project_id: int, box: Mailbox) -> None:
        """Put nothing into ``box`` any more; leaving twice, or without having watched, changes nothing."""
        self._boxes[project_id].discard(box)
        if not self._boxes[project_id]:
            del self._boxes[project_id]
        if not self._boxes and self._listener is not None:
            self._listener.cancel()
            self._listener = None
            self._listening.clear()

    def watched(self) -> frozenset[int]:
        """The ids of the projects that anybody watches."""
        return frozenset(self._boxes)

    async def _listen(self) -> None:
        wait, missed = 0.5, False
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**_address(), autocommit=True) as database:
                    await database.execute(f"LISTEN {CHANNEL}")
                    self._listening.set()
                    if missed:
                        self._deliver_to_all()
                    wait, missed = 0.5, True
                    while True:
                        async for notification in database.notifies(timeout=_CHECK_EVERY_S):
                            self._deliver(notification.payload)
                        await database.execute("SELECT 1")  # a dead line is noticed here
            except (psycopg.Error, OSError) as error:
                missed = True
                logger.warning("live events: the database is away (%s); trying again in %.1f s", error, wait)
                await asyncio.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT_S)

    def _deliver(self, payload: str) -> None:
        kind, _space, number = payload.partition(" ")
        if not number.isdigit():
            return
        if kind in KINDS:
            for box in self._boxes.get(int(number), ()):
                box.put(kind)
        elif kind == ENDED:
            for box in set().union(*self._boxes.values()):
                if box.user_id == int(number):
                    box.put(ENDED)

    def _deliver_to_all(self) -> None:
        """After a gap nobody knows what was missed, so everybody looks at everything once."""
        for boxes in self._boxes.values():
            for box in boxes:
                box.put(*KINDS)


_DJANGOS_OWN = frozenset(
    {"pool", "isolation_level", "server_side_binding", "assume_role", "cursor_factory", "context"}
)


def _address() -> dict[str, Any]:
    """Where Django's own connections go, without what only Django and its pool understand."""
    settings = connection.settings_dict
    address: dict[str, Any] = {
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "host": settings["HOST"],
        "port": settings["PORT"],
        "application_name": "hilltop events",
        "connect_timeout": 5,
        "keepalives_idle": 30,
    }
    # A socket's folder, a certificate and the like stand in OPTIONS, beside what only Django knows.
    address |= {name: value for name, value in settings["OPTIONS"].items() if name not in _DJANGOS_OWN}
    return {name: value for name, value in address.items() if value not in ("", None)}


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop; a web process has one loop, a test several."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
