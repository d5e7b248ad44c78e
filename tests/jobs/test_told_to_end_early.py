"""Ctrl-C while a worker connects: it is not lost, and no job is begun."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from labeling.jobs import worker as worker_module


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_worker_that_is_told_to_end_while_it_connects_begins_nothing(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    begun: list[str] = []

    @contextlib.asynccontextmanager
    async def connecting() -> AsyncIterator[None]:
        with contextlib.suppress(asyncio.CancelledError):
            signal.raise_signal(number)
            await asyncio.sleep(0.1)
        yield

    class Worker:
        def __init__(self, *_of: Any, **_options: Any) -> None: ...

        def stop(self) -> None: ...

        async def run(self) -> None:
            begun.append("run")

    monkeypatch.setattr(worker_module, "app", SimpleNamespace(open_async=connecting))
    monkeypatch.setattr(worker_module, "Worker", Worker)
    monkeypatch.setattr(worker_module, "stopping", stopping := threading.Event())
    # It ends a process that does not end itself, which here is the tests'.
    monkeypatch.setattr(threading, "Timer", Mock())
    before = signal.getsignal(signal.SIGTERM)
    try:
        asyncio.run(worker_module._work(["cpu"], concurrency=1, until_idle=False))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stopping.is_set()
    assert begun == []
