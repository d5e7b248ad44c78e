"""The text encoder of a backbone that knows words, one in a process."""

from __future__ import annotations

from functools import lru_cache

from inference.words import TextEncoder
from labeling.learning.compute.stores import load_backbone


@lru_cache(maxsize=1)
def encoder_of(name: str) -> TextEncoder:
    """One in this process: to load it takes longer than all else."""
    return TextEncoder(load_backbone(name))
