"""A challenger answers in the shadow: after the champion has answered, and only as far as there is time for it.

Where it stands on the champion's backbones, their vectors are at hand and it costs next to nothing; else its photos go
through the network when nothing else waits. What is more than ``MOST`` photos behind is left out, and counted.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db import connections

from labeling.serving.compute import metrics
from labeling.serving.compute.lanes import Lanes, Vector
from labeling.serving.compute.versions import Loaded, Versions
from labeling.serving.services import Answers, record_shadow

logger = logging.getLogger(__name__)

#: Photos that may wait for the challenger.
MOST = 32


@dataclass(frozen=True, slots=True)
class _Asked:
    challenger: int
    champion: Loaded
    said: npt.NDArray[np.float32]
    photo: bytes
    vector: Vector


class Shadows:
    def __init__(self, versions: Versions, lanes: Lanes) -> None:
        self._versions, self._lanes = versions, lanes
        self._asked: queue.Queue[_Asked] = queue.Queue(MOST)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def offer(
        self,
        challenger: int,
        champion: Loaded,
        said: npt.NDArray[np.float32],
        photos: Sequence[bytes],
        vectors: Sequence[Vector],
    ) -> None:
        """What the ``champion`` said (n, k) of n photos, for the challenger to say the same."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
                self._thread.start()
        for row, photo, vector in zip(said, photos, vectors, strict=True):
            try:
                self._asked.put_nowait(_Asked(challenger, champion, row, photo, vector))
            except queue.Full:
                metrics.SHADOWED.labels(champion.name[0], "left_out").inc()

    def _run(self) -> None:
        while True:
            first = self._asked.get()
            asked = [first]
            while not self._asked.empty() and len(asked) < MOST:
                asked.append(self._asked.get_nowait())
            for pair in {(each.challenger, each.champion.pk) for each in asked}:
                mine = [each for each in asked if (each.challenger, each.champion.pk) == pair]
                try:
                    self._answer(mine)
                except Exception:
                    logger.exception("a challenger could not answer in the shadow")
                    metrics.SHADOWED.labels(first.champion.name[0], "failed").inc(len(mine))
                finally:
                    connections.close_all()

    def _answer(self, asked: Sequence[_Asked]) -> None:
        champion, challenger = asked[0].champion, self._versions.get(asked[0].challenger)
        if challenger.engine is champion.engine:
            vectors = [each.vector for each in asked]
        else:
            vectors = self._vectors(challenger, asked)
        says = challenger.probabilities(vectors)
        record_shadow(
            champion=Answers(champion.pk, champion.classes, [each.said.tolist() for each in asked]),
            challenger=Answers(challenger.pk, challenger.classes, says.tolist()),
        )
        metrics.SHADOWED.labels(champion.name[0], "answered").inc(len(asked))

    def _vectors(self, challenger: Loaded, asked: Sequence[_Asked]) -> list[Vector]:
        """A photo that the champion could read, this one can."""
        waiting = self._lanes.submit(challenger.engine, [each.photo for each in asked], later=True)
        found = [each.result() for each in waiting]
        for outcome in found:
            if isinstance(outcome, Exception):
                raise outcome
        return [each for each in found if not isinstance(each, Exception)]
