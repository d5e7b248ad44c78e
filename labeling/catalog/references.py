"""Photos that stay where they are: in the place of an original, the store keeps where it lies.

That is a file of the store and no row of the database: whoever reads originals asks no database (in a Ray cluster there is
none), and what copies, moves, checks and erases an original's file does the same with this one.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import NamedTuple

from django.utils.translation import gettext_noop

from labeling.jobs.told import know
from labeling.store import objects

FOLDER = "references"
#: A bucket that did not answer is not asked for so long: each of a million photos would wait for it in turn.
REST_S = 20.0
_silent_until: dict[str, float] = {}
#: Why an original cannot be had from where it lies, and what to do: kept in English, told in the reader's language.
TEXTS = {
    "changed": gettext_noop(
        "The photo changed where it lies (%(place)s). Put its file back there, or take the photo in again."
    ),
    "gone": gettext_noop(
        "The photo is gone from where it lay (%(place)s). Put its file back there, or take the photo in again."
    ),
    "closed": gettext_noop(
        "The photo stays in a bucket that is not open any more (%(place)s). The server's administrator can open it again."
    ),
    "refused": gettext_noop(
        "The bucket refuses to hand out the photo (%(place)s: %(about)s). The server's administrator can look at its keys."
    ),
    "silent": gettext_noop(
        "The bucket in which the photo stays does not answer (%(place)s). Try again in a minute."
    ),
    "unread": gettext_noop(
        "The photo stays in a bucket (%(place)s), and this server lacks what reads buckets: install django-storages[s3]."
    ),
}
know(TEXTS.values())


class Place(NamedTuple):
    """``bucket``: its name in ``settings.BUCKETS``; ``key``: of the object, below what is open of it."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}"


class NotThere(FileNotFoundError):
    """The original cannot be had from where it lies, for now or for good. ``code``: of :data:`TEXTS`."""

    def __init__(self, code: str, place: Place, about: str = "") -> None:
        super().__init__(TEXTS[code] % {"place": place, "about": about})
        self.code = code


def name(sha256: str) -> str:
    return f"{FOLDER}/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def encoded(place: Place, size: int) -> bytes:
    """``size``: of the photo, in bytes; whatever takes its place is read no further."""
    return json.dumps({**place._asdict(), "size": size}, ensure_ascii=False).encode()


def read(sha256: str) -> bytes:
    """The photo's bytes, from where they lie.

    Raises :class:`NotThere`; another :class:`FileNotFoundError` where nothing says that they lie anywhere;
    :class:`~labeling.store.objects.StoreAway`.
    """
    told = json.loads(objects.read(name(sha256)))
    place = Place(told["bucket"], told["key"])
    try:
        from labeling.catalog import buckets
    except ImportError:
        raise NotThere("unread", place) from None
    if time.monotonic() < _silent_until.get(place.bucket, 0.0):
        raise NotThere("silent", place)
    try:
        data = buckets.read(*place, most=told["size"] + 1)
    except buckets.Unread as error:
        if error.code == "silent":
            _silent_until[place.bucket] = time.monotonic() + REST_S
        raise NotThere(error.code, place, error.about) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise NotThere("changed", place)
    return data
