"""What a picture looks like, in 256 bits: near-duplicates have nearly the same ones, whatever they were saved as.

Which of a picture's coarse waves are stronger than most: the signs, against their median, of a discrete cosine transform's
lowest frequencies (Zauner 2010, "Implementation and benchmarking of perceptual image hash functions"). Sixty-four bits, as
are usual, do not tell solar cells apart.

Loaded by the worker: it brings numpy with it. Knows pictures, and no project.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

SIDE = 64  # pixels that are looked at
WAVES = 16  # a direction
BITS = WAVES * WAVES
#: A wave that is not there has this strength at times, by the rounding to whole greys: its spread is 9. Without it the bits
#: of a ramp, which has few waves, would be told by chance.
FAINT = 32.0

_WAVES: npt.NDArray[np.float32] = np.cos(
    np.pi * np.arange(WAVES)[:, None] * (2 * np.arange(SIDE)[None] + 1) / (2 * SIDE)
).astype(np.float32)
#: Neighbouring waves tell alike in photos of one kind; each part has some from everywhere, so that few photos share it.
_ORDER = np.random.default_rng(20260512).permutation(BITS)


def fingerprint(picture: Pillow.Image) -> bytes:
    """32 bytes. A picture of one colour only has no waves, and all such pictures have the same bits: empty then."""
    grey = np.asarray(picture.convert("L").resize((SIDE, SIDE), Pillow.Resampling.LANCZOS), np.float32)
    strength = (_WAVES @ grey @ _WAVES.T).ravel()
    strength[0] = 0.0  # how light it is on the whole tells nothing
    if np.ptp(grey) < 4:
        return b""
    return np.packbits((strength > np.median(strength) + FAINT)[_ORDER]).tobytes()
