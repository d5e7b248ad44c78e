"""Does a model still state what it keeps? Its reliability on labels that it never saw, against chance.

The expected calibration error is never 0, even of a perfect model: among few photos of a bin the share that is right strays
from what was stated. So outcomes are drawn from the stated confidences themselves, and the error is held against the errors
of those draws (consistency resampling: Bröcker & Smith 2007, "Increasing the reliability of reliability diagrams").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.drift.result import DRIVERS

BINS = 10
_DRAWS = 1999


@dataclass(frozen=True)
class CalibrationTest:
    """Outcome of the test of "a photo that is called a class with confidence c is of that class with probability c".

    Attributes:
        ece: expected calibration error over ``BINS`` equal bins of confidence.
        chance: what it stays below in 95 of 100 draws, if all is as stated.
        p_value: share of draws with an error as large; never 0 (Phipson & Smyth 2010).
        stated, right: mean confidence, and share that is right.
        drivers: indices of photos that are wrong, the most confident first.
    """

    ece: float
    chance: float
    p_value: float
    stated: float
    right: float
    n: int
    drivers: tuple[int, ...]


def calibration_test(
    confidence: npt.NDArray[np.floating], right: npt.NDArray[np.bool_], *, seed: int = 0
) -> CalibrationTest:
    """Tests confidences (n,) of the predicted class, in [0, 1], against whether it was right (n,).

    Raises:
        ValueError: no photo, or lengths that differ, or confidences outside [0, 1].
    """
    stated = np.asarray(confidence, dtype=np.float64)
    was_right = np.asarray(right, dtype=bool)
    if stated.ndim != 1 or stated.shape != was_right.shape or not len(stated):
        raise ValueError("confidence and right must be equally long, and hold a photo at least")
    if not ((stated >= 0) & (stated <= 1)).all():
        raise ValueError("confidences are probabilities")
    bucket = np.clip(np.ceil(stated * BINS).astype(int) - 1, 0, BINS - 1)
    inside = np.zeros((len(stated), BINS))
    inside[np.arange(len(stated)), bucket] = 1.0

    def error(outcomes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Of (draws, n) outcomes: Σ over bins of |Σ (outcome − confidence)| / n."""
        return np.asarray(np.abs((outcomes - stated) @ inside).sum(axis=1) / len(stated))

    ece = float(error(was_right[None].astype(np.float64))[0])
    rng = np.random.default_rng(seed)
    drawn = error((rng.random((_DRAWS, len(stated))) < stated).astype(np.float64))
    wrong = np.flatnonzero(~was_right)
    worst = wrong[np.argsort(-stated[wrong], kind="stable")][:DRIVERS]
    return CalibrationTest(
        ece=ece,
        chance=float(np.quantile(drawn, 0.95)),
        p_value=float((1 + (drawn >= ece - 1e-12).sum()) / (1 + _DRAWS)),
        stated=float(stated.mean()),
        right=float(was_right.mean()),
        n=len(stated),
        drivers=tuple(int(i) for i in worst),
    )
