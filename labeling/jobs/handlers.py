"""Which code does which kind of job. Rooms register handlers in their ``tasks.py``, which only a worker loads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labeling.jobs.progress import Progress

Handler = Callable[[Progress], dict[str, Any]]
_handlers: dict[str, Handler] = {}


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the decorated function as the one that does jobs of ``kind``.

    It gets a :class:`~labeling.jobs.progress.Progress` and returns the job's result (JSON). It must be safe to
    run again from the start: a killed worker's job is taken up by another one. It reports progress outside of
    transactions, so that the report is seen while the job runs.
    """

    def register(handler: Handler) -> Handler:
        if kind in _handlers and _handlers[kind] is not handler:
            raise RuntimeError(f"two handlers for jobs of kind {kind!r}")
        _handlers[kind] = handler
        return handler

    return register


def handler_for(kind: str) -> Handler | None:
    """The handler of jobs of ``kind``; ``None`` where no task module that was loaded has one."""
    return _handlers.get(kind)
