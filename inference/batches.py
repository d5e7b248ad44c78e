"""What goes through an embedder: photos as bytes or paths in, arrays out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.photo import DecodeError

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
#: A key of the caller's, and the encoded photo.
Photo = tuple[str, bytes]
#: A batch that is read ahead ends where its files have so many bytes a photo wanted, together: one of the largest that come
#: in would be more than a gigabyte.
_BYTES_A_PHOTO = 4 << 20


@dataclass(frozen=True)
class EmbeddedBatch:
    """One batch's outcome; keys keep the order in which photos came.

    Attributes:
        keys: of the photos embedded.
        vectors: (len(keys), dim) float32.
        failures: (key, error) of the photos that could not be decoded.
    """

    keys: list[str]
    vectors: Floats
    failures: list[tuple[str, DecodeError]]


def next_batch(photos: Iterator[Photo], wanted: int) -> list[Photo]:
    """The next ``wanted`` photos; fewer where their files are large, or no more come."""
    batch: list[Photo] = []
    size = 0
    while len(batch) < wanted and size < wanted * _BYTES_A_PHOTO:
        photo = next(photos, None)
        if photo is None:
            break
        batch.append(photo)
        size += len(photo[1])
    return batch
