"""Labeling replayed with simulated people: what a strategy teaches, and what it costs, before anyone is asked.

``simulate_people`` fixes every photo's answers for a seed, ``replay`` lets one strategy ask for them, ``summarise`` and
``compare`` put seeds together. Strategies that share a seed share the split, the people's answers, the seeds of heads
and of ties (common random numbers), so that the difference of two is far better known than either.

Knows nothing of projects, queues or files.
"""

from __future__ import annotations

from inference.replay.curves import Difference, at_decisions, compare, compare_on, summarise
from inference.replay.pace import Pace
from inference.replay.people import LABELERS, People, simulate_people
from inference.replay.run import Point, pool_beside, replay, split

__all__ = [
    "LABELERS",
    "Difference",
    "Pace",
    "People",
    "Point",
    "at_decisions",
    "compare",
    "compare_on",
    "pool_beside",
    "replay",
    "simulate_people",
    "split",
    "summarise",
]
