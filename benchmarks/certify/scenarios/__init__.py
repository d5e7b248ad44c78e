"""One file a scenario, found by itself: it holds ``SCENARIO``.

A scenario simulates projects twice on the same truth: by the rule of before, which it keeps in as few lines as show it,
and as Hilltop does it now, through ``inference.certify``'s own functions. Both are arrays over many projects at once: two
thousand should take a minute at most. Where nothing is left to chance, one project is as good as many, and a run is a case.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from benchmarks.certify.outcomes import Outcomes

#: ``simulate(rng, runs)`` gives the outcomes of so many projects by arm; ``before`` and ``after`` are among the arms.
Simulate = Callable[[np.random.Generator, int], Mapping[str, Outcomes]]


@dataclass(frozen=True)
class Scenario:
    """What happens to a project, and what must hold.

    Attributes:
        name: as the JSON and ``--only`` have it.
        says: what is simulated, in a sentence or two.
        delta: share of projects in which something false may be stated.
        simulate: arms beyond ``before`` and ``after`` are other ways that were weighed.
    """

    name: str
    says: str
    delta: float
    simulate: Simulate


def all_scenarios() -> dict[str, Scenario]:
    """By name, in the order of their files' names."""
    modules = [import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)]
    found: list[Scenario] = [module.SCENARIO for module in modules]
    return {scenario.name: scenario for scenario in found}
