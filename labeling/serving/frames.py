"""Several photos in one body: each behind its length, four bytes, big-endian."""

from __future__ import annotations

from collections.abc import Iterable

_LENGTH = 4


def framed(photos: Iterable[bytes]) -> bytes:
    return b"".join(part for each in photos for part in (len(each).to_bytes(_LENGTH, "big"), each))


def photos_in(body: bytes) -> list[bytes]:
    """What was framed. Raises :class:`ValueError` where the body ends within a photo."""
    photos, at = [], 0
    while at < len(body):
        begins = at + _LENGTH
        at = begins + int.from_bytes(body[at:begins], "big")
        if begins > len(body) or at > len(body):
            raise ValueError("The body ends within a photo.")
        photos.append(body[begins:at])
    return photos
