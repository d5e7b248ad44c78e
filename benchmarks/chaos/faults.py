"""What is done to a running Hilltop. Each fault is a block: it lasts as long as the block, and is over behind it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import psutil
import psycopg

from benchmarks.chaos.house import House
from benchmarks.chaos.people import Crowd, wait_until

#: Seconds for which what lasts does last, and by which the clock goes wrong.
LASTS_S = (3.0, 7.0)
CLOCK_S = 120
#: Connections that begin a request and fall silent.
SILENT = 40

Fault = Callable[[House, Crowd, random.Random], AbstractContextManager[None]]


def _kill(find: Callable[[], list[psutil.Process]], what: str) -> None:
    if not wait_until(find, 60):
        raise SystemExit(f"there is no {what} to kill: the last one did not come back")
    for process in find()[:1]:
        os.kill(process.pid, signal.SIGKILL)


@contextmanager
def web_killed(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    """One of the processes that answer."""
    _kill(house.web, "web process")
    yield


@contextmanager
def web_server_killed(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    """The one that keeps them."""
    _kill(lambda: house.children("granian"), "web server")
    yield


@contextmanager
def worker_killed(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    _kill(lambda: house.children("worker"), "worker")
    yield


@contextmanager
def supervisor_killed(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    """Its children end with it; it is started again, as systemd would."""
    assert house.supervisor is not None
    family = [*house.web(), *house.children("granian"), *house.children("worker")]
    house.supervisor.kill()
    house.supervisor.wait()
    psutil.wait_procs(family, timeout=5)  # what is left then, the next one ends
    house.start()
    yield


@contextmanager
def database_killed(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    """Its first process: the others end by themselves, and the supervisor starts it again on its log of changes."""
    _kill(house.database, "database")
    yield


@contextmanager
def database_frozen(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    """Nothing answers and nothing is closed."""
    stopped = house.database()
    for process in stopped:
        with suppress(psutil.Error):
            process.suspend()
    try:
        crowd.stop.wait(dice.uniform(*LASTS_S))
        yield
    finally:
        for process in stopped:
            with suppress(psutil.Error):
                process.resume()


@contextmanager
def disk_full(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    """To the brim, again and again: what is freed in between is taken at once."""
    ballast = house.folder / "ballast"
    until = time.monotonic() + dice.uniform(*LASTS_S)
    try:
        while time.monotonic() < until:
            with ballast.open("ab", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(b"x" * 65536)
            time.sleep(0.1)
        yield
    finally:
        ballast.unlink()


@contextmanager
def database_lines_cut(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    """All sessions are ended from the other side, as a failover or a pooler does."""
    with suppress(psycopg.Error), psycopg.connect(house.database_url) as line:
        line.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    yield


@contextmanager
def lines_of_people_dead(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    """Half of the requests break off before their answer; others begin one and fall silent."""
    host, port = house.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as silent:
        for _ in range(SILENT):
            with suppress(OSError):
                line = silent.enter_context(socket.create_connection((host, int(port)), timeout=5))
                line.sendall(b"POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\n{")
        crowd.flaky.set()
        crowd.stop.wait(dice.uniform(*LASTS_S))
        crowd.flaky.clear()
        yield


@contextmanager
def clock_ahead(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    """All processes read a clock that is minutes ahead, and then one that is right again."""
    house.set_clock(CLOCK_S)
    try:
        crowd.stop.wait(dice.uniform(*LASTS_S))
        yield
    finally:
        house.set_clock(0)


@contextmanager
def store_refuses(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    """Two of three requests to the store of photos."""
    house.tell_the_store(refuse=0.67)
    try:
        crowd.stop.wait(dice.uniform(*LASTS_S))
        yield
    finally:
        house.tell_the_store()


@contextmanager
def store_slow(house: House, crowd: Crowd, dice: random.Random) -> Iterator[None]:
    house.tell_the_store(slow_s=0.7)
    try:
        crowd.stop.wait(dice.uniform(*LASTS_S))
        yield
    finally:
        house.tell_the_store()


FAULTS: tuple[Fault, ...] = (
    web_killed,
    web_server_killed,
    worker_killed,
    supervisor_killed,
    database_killed,
    database_frozen,
    disk_full,
    database_lines_cut,
    lines_of_people_dead,
    clock_ahead,
    store_refuses,
    store_slow,
)
#: In these people are served as ever: what is killed or disturbed is not in their way.
NO_OUTAGE = frozenset({"worker_killed", "store_slow", "lines_of_people_dead", "clock_ahead"})


def cannot(house: House) -> dict[str, str]:
    """Which faults cannot be done here, and why not."""
    left: dict[str, str] = {}
    if not house.small:
        left["disk_full"] = (
            "no disk of its own can be mounted here (that takes root), and nobody else's is filled"
        )
    if not house.clocked:
        left["clock_ahead"] = (
            "there is no C compiler (cc) to build what sets the clock of these processes wrong"
        )
    return left


def order(house: House, dice: random.Random, names: list[str] | None = None) -> Iterator[Fault]:
    """All that can be done here (or of ``names``), in random order, and then again in another one."""
    impossible = cannot(house)
    chosen = [
        fault
        for fault in FAULTS
        if fault.__name__ not in impossible and (names is None or fault.__name__ in names)
    ]
    while True:
        yield from dice.sample(chosen, len(chosen))
