"""Work that asks the database, by several connections beside each other. For workers only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

from django.db import connection

T = TypeVar("T")


class Begin(Protocol):
    """Begins with ``work``, and returns how to wait for what comes of it."""

    def __call__(self, work: Callable[[], T], /) -> Callable[[], T]: ...


def one_at_a_time(work: Callable[[], T], /) -> Callable[[], T]:
    """In this very thread, when it is waited for."""
    return work


@contextmanager
def several(most: int) -> Iterator[Begin]:
    """So many pieces of work at a time, in threads with a connection each.

    Inside a transaction it is one at a time: what that wrote, another connection could not see.
    """
    if most == 1 or connection.in_atomic_block:
        yield one_at_a_time
        return

    def begin(work: Callable[[], T], /) -> Callable[[], T]:
        def apart() -> T:
            try:
                return work()
            finally:
                connection.close()

        return pool.submit(apart).result

    pool = ThreadPoolExecutor(most)
    try:
        yield begin
    finally:
        pool.shutdown(cancel_futures=True)
