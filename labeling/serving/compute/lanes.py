"""Micro-batches across requests: who waits goes through the network together with whoever else waits.

A lane is a thread that takes a few photos from bytes to vectors at a time, as ``inference.embed`` does: one a core. Nobody
waits for a batch to fill. A lane that has nothing to do takes what is there, so one photo goes alone and at once, and under
load batches fill by themselves (adaptive batching, Crankshaw et al., "Clipper", NSDI 2017, section 4.3). What is wanted
``later`` goes when nothing else waits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from inference.photo import DecodeError
from labeling.serving.compute import metrics

Vector = npt.NDArray[np.float32]
#: A photo's vector (d,), or why it has none.
Outcome = Vector | DecodeError


class Engine(Protocol):
    """Bytes to vectors by the backbones of a version."""

    @property
    def step(self) -> int:
        """Photos that are best put through at once."""
        ...

    def embed(self, photos: Sequence[bytes], *, alone: bool) -> list[Outcome]:
        """``alone``: no other lane is at work, so all cores may help."""
        ...


class Busy(Exception):
    """There is so much to do already that whoever asks would wait too long."""


@dataclass(frozen=True, slots=True)
class _Task:
    engine: Engine
    photo: bytes
    outcome: Future[Outcome] = field(default_factory=Future)


class Lanes:
    """``count`` lanes, which begin with the first photo; ``most`` photos wait at a time, and as many for later."""

    def __init__(self, count: int, *, most: int) -> None:
        self.count = count
        self._most = most
        self._now: deque[_Task] = deque()
        self._later: deque[_Task] = deque()
        self._changed = threading.Condition()
        self._idle = count
        self._begun = False

    @property
    def waiting(self) -> int:
        return len(self._now) + len(self._later)

    def submit(
        self, engine: Engine, photos: Sequence[bytes], *, later: bool = False
    ) -> list[Future[Outcome]]:
        """Raises :class:`Busy`; then none of them was taken."""
        tasks = [_Task(engine, photo) for photo in photos]
        queue = self._later if later else self._now
        with self._changed:
            if len(queue) + len(tasks) > self._most:
                raise Busy
            queue.extend(tasks)
            if not self._begun:
                self._begun = True
                for number in range(self.count):
                    threading.Thread(target=self._run, name=f"lane-{number}", daemon=True).start()
            self._changed.notify_all()
        return [task.outcome for task in tasks]

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._now or self._later)
                tasks = self._take(self._now or self._later)
                self._idle -= 1
                alone = len(tasks) == 1 and self._idle == self.count - 1 and not self._now
            tasks = [task for task in tasks if task.outcome.set_running_or_notify_cancel()]
            try:
                if tasks:
                    _embed(tasks, alone=alone)
            finally:
                with self._changed:
                    self._idle += 1

    def _take(self, queue: deque[_Task]) -> list[_Task]:
        """The next ones of one engine; no more than leaves the other idle lanes their share."""
        engine = queue[0].engine
        most = min(engine.step, -(-len(queue) // max(1, self._idle)))
        taken: list[_Task] = []
        while queue and len(taken) < most and queue[0].engine is engine:
            taken.append(queue.popleft())
        return taken


def _embed(tasks: Sequence[_Task], *, alone: bool) -> None:
    metrics.BATCH.observe(len(tasks))
    try:
        outcomes = tasks[0].engine.embed([task.photo for task in tasks], alone=alone)
    except Exception as error:  # of one photo, which must not fail for the others
        if len(tasks) == 1:
            tasks[0].outcome.set_exception(error)
            return
        for task in tasks:
            _embed([task], alone=False)
    else:
        for task, outcome in zip(tasks, outcomes, strict=True):
            task.outcome.set_result(outcome)
