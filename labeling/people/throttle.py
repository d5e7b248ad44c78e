"""Slow down password guessing: after a few wrong passwords for one name from one place, or many for any names, wait.

Counted for all web processes together (:mod:`labeling.people.rate_limits`). Never by name alone: whoever knows a name could
keep its owner out. So a right password from elsewhere gets in, however often others guessed.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from labeling.people import rate_limits
from labeling.people.proxies import neighbourhood

#: For one name from one place.
TRIES = 6
#: For any names from one place. A company's people may all come from one address, and mistype in the morning.
TRIES_FROM_ONE_PLACE = 60
WINDOW_SECONDS = 300


def _keys(address: str, username: str) -> tuple[str, str]:
    place = neighbourhood(address)
    return (
        rate_limits.key_of("sign-in", place, username.strip().casefold()),
        rate_limits.key_of("sign-in from", place),
    )


def must_wait(*, address: str, username: str) -> str:
    """Why no password is looked at now, as a sentence for the person; empty where one is."""
    of_name, of_place = (rate_limits.counted(key) for key in _keys(address, username))
    if of_name >= TRIES:
        return _("Too many wrong passwords for this name. Wait five minutes, then try again.")
    if of_place >= TRIES_FROM_ONE_PLACE:
        return _("Too many wrong passwords from your network. Wait five minutes, then try again.")
    return ""


def count_failure(*, address: str, username: str) -> int:
    """Remember one wrong password; return how many tries are left for this name from here."""
    (failures, _left), _place = (
        rate_limits.count(key, seconds=WINDOW_SECONDS) for key in _keys(address, username)
    )
    return max(0, TRIES - failures)


def forget(*, address: str, username: str) -> None:
    """The right password was given. What was counted of the place stays: an account of one's own is no licence to guess."""
    rate_limits.forget(_keys(address, username)[0])
