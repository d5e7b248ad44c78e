"""Orders in which to label a pool, behind one registry.

A strategy is one file with one class and one line in ``_STRATEGIES``; the contract test covers it from then on.

Knows nothing of queues, leases or people.
"""

from __future__ import annotations

from inference.strategies.base import Ordering, Pool, Strategy
from inference.strategies.committee import Disputed
from inference.strategies.coverage import Coverage
from inference.strategies.dropquery import DropQuery
from inference.strategies.hybrid import Hybrid
from inference.strategies.inward import Inward
from inference.strategies.random_order import RandomOrder
from inference.strategies.typical import Typical
from inference.strategies.uncertain import Uncertain

__all__ = ["Ordering", "Pool", "Strategy", "get", "names"]

_STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Inward(),
        Hybrid(),
        Disputed(),
        Coverage(),
        DropQuery(),
        RandomOrder(),
        Typical(),
        Uncertain("uncertain"),
        Uncertain("margin"),
        Uncertain("entropy"),
    )
}


def names() -> list[str]:
    """Names that ``get`` takes, sorted."""
    return sorted(_STRATEGIES)


def get(name: str) -> Strategy:
    """The strategy called ``name``.

    Raises:
        LookupError: there is none.
    """
    if name not in _STRATEGIES:
        raise LookupError(f"No strategy called {name!r}. Known: {', '.join(names())}.")
    return _STRATEGIES[name]
