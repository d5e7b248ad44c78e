"""More than 8 bits a channel to 8: where black and white lie, and the curve between them, which is straight.

Knows numbers; knows no files. One photo's bounds are found over all of it, and then its strips are converted one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from inference.photo import DecodeError, Levels

Values = npt.NDArray[np.uint16]
Narrow = Callable[[npt.NDArray[np.generic]], npt.NDArray[np.uint8]]

_DEPTHS = (8, 10, 12, 14, 16)
#: With "percentiles", so many of a thousand at either end are black or white.
_CLIPPED = 0.001


def narrowing(
    strips: Callable[[], Iterable[npt.NDArray[np.generic]]],
    levels: Levels,
    *,
    significant_bits: int = 0,
    white_is_zero: bool = False,
) -> Narrow:
    """What makes 8 bits of any part of the photo.

    Args:
        strips: the photo's values, a part at a time; gone through once or twice. Unsigned 16-bit values mean what they say.
            So do integers of any other type within that range; other numbers are scaled by the photo's own range first,
            as nothing says where their white lies. What is not a number is black.
        significant_bits: where the file says how many of the 16 it uses; else 0.

    Raises:
        DecodeError: ``no_values``.
    """
    to_16 = _to_16_bits(strips)
    counts = np.zeros(1 << 16, dtype=np.int64)
    for strip in strips():
        counts += np.bincount(to_16(strip).reshape(-1), minlength=1 << 16)
    low, high = _bounds(counts, levels, significant_bits, to_16 is _as_it_is)
    curve = (np.arange(1 << 16) - low) * (255.0 / max(1, high - low))
    table = np.rint(np.clip(curve, 0, 255)).astype(np.uint8)
    if white_is_zero:
        table = 255 - table
    return lambda strip: table[to_16(strip)]


def _bounds(
    counts: npt.NDArray[np.int64], levels: Levels, significant_bits: int, is_meant: bool
) -> tuple[int, int]:
    """What is black and what is white, of 16-bit values that occur so often. ``is_meant``: none was scaled before."""
    if levels == "percentiles":
        reached = np.cumsum(counts)
        ends = reached[-1] * np.array([_CLIPPED, 1 - _CLIPPED])
        low, high = np.searchsorted(reached, ends).tolist()
        return low, max(low + 1, high)
    if not is_meant:
        return 0, 0xFFFF
    if levels != "bits":
        return 0, (1 << int(levels)) - 1
    holds = int(np.flatnonzero(counts)[-1]).bit_length()
    if holds <= significant_bits <= 16:
        return 0, (1 << significant_bits) - 1
    return 0, (1 << next(bits for bits in _DEPTHS if bits >= holds)) - 1


def _as_it_is(strip: npt.NDArray[np.generic]) -> Values:
    return strip.astype(np.uint16, copy=False)


def _to_16_bits(
    strips: Callable[[], Iterable[npt.NDArray[np.generic]]],
) -> Callable[[npt.NDArray[np.generic]], Values]:
    low, high, whole = np.inf, -np.inf, True
    for strip in strips():
        if strip.dtype == np.uint16:
            return _as_it_is
        whole = whole and np.issubdtype(strip.dtype, np.integer)
        finite = strip if whole else strip[np.isfinite(strip)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if low > high:
        raise DecodeError(
            "no_values", "The photo holds no numbers at all. Export it again from what made it."
        )
    if whole and low >= 0 and high <= 0xFFFF:
        return _as_it_is
    scale = 0xFFFF / (high - low) if high > low else 0.0

    def scaled(strip: npt.NDArray[np.generic]) -> Values:
        values = np.nan_to_num(strip.astype(np.float64), nan=low, posinf=high, neginf=low)
        return np.rint((values - low) * scale).astype(np.uint16)

    return scaled
