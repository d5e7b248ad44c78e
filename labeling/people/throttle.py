"""Slow down password guessing: after a few wrong passwords for one name from one address, wait.

Counted for all web processes together (:mod:`labeling.people.rate_limits`).
"""

from __future__ import annotations

from labeling.people import rate_limits

TRIES = 6
WINDOW_SECONDS = 300


def _key(address: str, username: str) -> str:
    return rate_limits.key_of("sign-in", address, username.strip().casefold())


def must_wait(*, address: str, username: str) -> bool:
    """Whether this name has been tried too often from this address within the window."""
    return rate_limits.counted(_key(address, username)) >= TRIES


def count_failure(*, address: str, username: str) -> int:
    """Remember one wrong password; return how many tries are left."""
    failures, _left = rate_limits.count(_key(address, username), seconds=WINDOW_SECONDS)
    return max(0, TRIES - failures)


def forget(*, address: str, username: str) -> None:
    rate_limits.forget(_key(address, username))
