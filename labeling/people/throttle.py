"""Slow down password guessing: after a few wrong passwords for one name from one address, wait.

Counters live in Django's cache and forget themselves. With the default cache each server process counts for
itself, so the true bound is ``TRIES`` times the number of processes, which still makes guessing hopeless.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache

TRIES = 6
WINDOW_SECONDS = 300


def _key(address: str, username: str) -> str:
    # Hashed: user input is no cache key (length, spaces), and names do not belong in a shared cache.
    digest = hashlib.sha256(f"{address}\n{username.strip().casefold()}".encode()).hexdigest()
    return f"sign-in:{digest[:40]}"


def must_wait(*, address: str, username: str) -> bool:
    """Whether this name has been tried too often from this address within the window."""
    return int(cache.get(_key(address, username), 0)) >= TRIES


def count_failure(*, address: str, username: str) -> int:
    """Remember one wrong password; return how many tries are left."""
    key = _key(address, username)
    cache.add(key, 0, WINDOW_SECONDS)
    try:
        failures = cache.incr(key)
    except ValueError:  # it ran out between the two calls
        cache.set(key, 1, WINDOW_SECONDS)
        failures = 1
    return max(0, TRIES - failures)


def forget(*, address: str, username: str) -> None:
    cache.delete(_key(address, username))
