"""Where a new order's ladders and bands begin, and how many photos lie on each step of them. For workers only.

The scores are at hand as arrays when an order is written; the database would have to read all of them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from labeling.catalog.selectors import class_resolution
from labeling.queue.models import Placement, Ranking
from labeling.queue.placing import EPSILON, STEPS

#: Predicted class (id) -> distances from the boundary, in [0, 1].
Margins = Mapping[int, npt.ArrayLike]


def write_placements(ranking: Ranking, margins: Margins) -> None:
    """Begin the bands of an order that a version had a part in. ``margins``: of all photos that it scored, waiting or not.

    What is predicted as a class that was merged lies on the ladder of the class that it counts for.
    """
    if ranking.model_version_id is None:
        return
    placements = []
    for predicted, ladder in class_resolution(ranking.project).items():
        said = ranking.summary.get(str(ladder))
        if ladder is None or said is None:
            continue
        lows = _lows(said, max(ranking.bands, 1))
        placements.append(
            Placement(
                ranking=ranking,
                predicted_id=predicted,
                ladder_id=ladder,
                lows=lows,
                edges=sorted(low - EPSILON for low in lows[:-1]),
                ridge=_ridge(lows, margins.get(predicted, ())),
            )
        )
    Placement.objects.bulk_create(placements)


def add_to_ridges(placements: Sequence[Placement], of_new: Margins) -> None:
    """Count photos that were scored after the order was made. ``of_new``: as ``margins`` of :func:`write_placements`."""
    for each in placements:
        counted = _ridge(each.lows, of_new.get(each.predicted_id, ()))
        each.ridge = [before + n for before, n in zip(each.ridge, counted, strict=True)]
    Placement.objects.bulk_update(placements, ["ridge"])


def _lows(said: Mapping[str, list[float]], bands: int) -> list[float]:
    """Lowest margin of each band, outermost first; ``said``: band -> [lowest margin, ...] of those that hold photos.

    A band that was empty when the order was made takes no room: it begins where the one outside it begins.
    """
    lows, low = [], 1.0
    for band in range(bands - 1):
        if str(band) in said:
            low = min(low, said[str(band)][0])
        lows.append(low)
    return [*lows, 0.0]


def _ridge(lows: list[float], margins: npt.ArrayLike) -> list[int]:
    """How many of ``margins`` (n,) lie on each of the ``STEPS`` steps of each band, outermost first."""
    ends, outer = [], 1.0
    for low in lows:
        ends += [outer + (low - outer) * step / STEPS - EPSILON for step in range(1, STEPS + 1)]
        outer = low
    rising = np.array(sorted(ends[:-1]))  # the innermost step has no end
    # A few ends are looked for among the sorted margins, not each of a million margins among the ends.
    below = np.searchsorted(np.sort(margins).astype(np.float64), rising)
    counted: list[int] = np.diff(below, prepend=0, append=np.size(margins))[::-1].tolist()
    return counted
