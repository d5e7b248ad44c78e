"""What goes through an embedder: photos as bytes or paths in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.photo import DecodeError

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
#: A key of the caller's, and the encoded photo.
Photo = tuple[str, bytes]


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
