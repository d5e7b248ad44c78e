"""How much memory the processes of a running Hilltop take, looked at all the time."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import suppress

import psutil


class Memory:
    """Megabytes that one process of a kind (``web``, ``worker``) holds: ``peak`` so far, and ``now``."""

    def __init__(self, supervisor: int) -> None:
        self.peak: dict[str, float] = defaultdict(float)
        self.now: dict[str, float] = {}
        self._supervisor = psutil.Process(supervisor)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.2):
            now: dict[str, float] = defaultdict(float)
            for kind, process in self._processes():
                with suppress(psutil.Error):
                    now[kind] = max(now[kind], process.memory_info().rss / 1e6)
            self.now = dict(now)
            for kind, size in now.items():
                self.peak[kind] = max(self.peak[kind], size)

    def _processes(self) -> list[tuple[str, psutil.Process]]:
        found = []
        with suppress(psutil.Error):
            for child in self._supervisor.children():
                with suppress(psutil.Error):
                    kind = "worker" if "worker" in child.cmdline() else "web"
                    found += [(kind, each) for each in (child, *child.children(recursive=True))]
        return found
