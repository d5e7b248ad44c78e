"""Lend a grid of one predicted class, take it in, take it back: one import for all writes of the sweep."""

from labeling.queue.sweeps.handing_in import HandedIn, Mark, hand_in
from labeling.queue.sweeps.lending import GRID, Over, claim_sweep, forget_search, release_sweep
from labeling.queue.sweeps.taking_back import take_back

__all__ = [
    "GRID",
    "HandedIn",
    "Mark",
    "Over",
    "claim_sweep",
    "forget_search",
    "hand_in",
    "release_sweep",
    "take_back",
]
