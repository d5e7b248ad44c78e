"""Arithmetic that does not depend on the number of threads, and still uses all cores.

A matrix product split over four threads adds in another order than over two, and so do reductions. So whatever must be the
same everywhere runs each task on one thread, and the cores are filled with tasks instead: their results do not depend on
how many run at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import torch
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

Task = TypeVar("Task")
Result = TypeVar("Result")

_lock = Lock()
_inside = 0
_before: tuple[int, Any] | None = None


def available() -> int:
    """Cores that this process may use."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Until the block ends, BLAS and torch use one thread for each call, in every thread of the process."""
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = (torch.get_num_threads(), _controller().limit(limits=1))
        _inside += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _before is not None:
                threads, limits = _before
                limits.restore_original_limits()
                torch.set_num_threads(threads)
                _before = None


def ordered_map(
    function: Callable[[Task], Result], tasks: Sequence[Task], *, parallel: bool = True
) -> Iterator[Result]:
    """``function`` of each task, in order, several at a time; inside ``one_thread_each``.

    Closing the iterator early drops the tasks that have not begun.
    """
    workers = min(available(), len(tasks)) if parallel else 1
    if workers <= 1:
        yield from map(function, tasks)
        return
    # torch keeps a thread's number of threads with the thread.
    pool = ThreadPoolExecutor(workers, initializer=lambda: torch.set_num_threads(1))
    try:
        yield from pool.map(function, tasks)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
