"""How the project at hand shows photos of more than 8 bits, for whoever writes a photo's address.

A photo may be in several projects, which may show it otherwise, and its address is kept for ever, so it says how. Addresses
are written in every room; each page asks :func:`~labeling.catalog.permissions.project_for` first, and that says it here.
"""

from __future__ import annotations

from contextvars import ContextVar

from inference.photo import DEFAULT_LEVELS, Levels

_levels: ContextVar[Levels] = ContextVar("levels", default=DEFAULT_LEVELS)


def as_in(levels: Levels) -> None:
    """From here on to the end of the request."""
    _levels.set(levels)


def levels() -> Levels:
    return _levels.get()
