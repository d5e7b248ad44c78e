"""Labels drawn with unequal, known chances: weights that make them speak for a whole region.

Where a photo's chance of being drawn is π, known and never nil, a drawn label counts mean(π) / π, with the mean over the
pool's photos of the region (Horvitz & Thompson 1952). Weighted losses then have the region's error rate as their mean,
and lie in [0, mean(π) / min(π)]: what ``inference.certify.betting`` needs, and all it needs.

Photos must be drawn independently of each other and of earlier outcomes, each with its chance; taken without
replacement from a pool much larger than the sample. Chances may differ by band but must be set before the draw and
stay: for labels asked for one region after the other see ``walk.Sample.frame``. Twice the chance for the inner, more
doubtful part of a region certifies more than an even draw, four times less (`docs/log.md`).

Where one draw after the other has chances of its own, which may be chosen after all earlier labels, a *drawing* says of each
band how probably a draw took its photo from there. A label of band b then counts, for a region, the band's share of the
region's photos over its share of the drawing (importance sampling: Kahn & Marshall 1953). Given all that went before, its
weighted loss has the region's error rate as its mean, which is what each single bet asks for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Chances:
    """Chances of being drawn over the pool's photos outside each of m thresholds.

    Attributes:
        mean: (m,) mean chance over the pool's photos with confidence at or above the threshold.
        least: (m,) smallest chance there.
    """

    mean: Floats
    least: Floats


def chances_in(confidence: npt.ArrayLike, chance: npt.ArrayLike, thresholds: npt.ArrayLike) -> Chances:
    """Sums up the pool's chances region by region.

    Args:
        confidence: (N,) of the pool's photos of one predicted class.
        chance: (N,) their chances of being drawn, up to a common factor.
        thresholds: (m,).

    Raises:
        ValueError: a chance that is nil: no label could ever speak for such photos.
    """
    c, pi = np.asarray(confidence, dtype=np.float64), np.asarray(chance, dtype=np.float64)
    if c.shape != pi.shape:
        raise ValueError("every photo of the pool needs one confidence and one chance")
    if pi.size and not (pi > 0).all():
        raise ValueError("a photo that could never be drawn cannot be spoken for")
    edges = np.asarray(thresholds, dtype=np.float64)
    mean, least = np.ones(len(edges)), np.ones(len(edges))
    for i, edge in enumerate(edges):
        inside = pi[c >= edge]
        if inside.size:
            # A mean of equal numbers may come out below them by a rounding.
            least[i] = inside.min()
            mean[i] = max(inside.mean(), least[i])
    return Chances(mean, least)


def drawing(photos: npt.ArrayLike, chance: npt.ArrayLike) -> Floats:
    """(m,) probability that a draw takes a photo of each band.

    Args:
        photos: (m,) photos of the band that could still be drawn.
        chance: (m,) their chances, up to a common factor; 0 where none is asked for.

    Raises:
        ValueError: negative numbers, or nothing that could be drawn.
    """
    mass = np.asarray(photos, dtype=np.float64) * np.asarray(chance, dtype=np.float64)
    if (mass < 0).any() or mass.sum() <= 0:
        raise ValueError("a drawing needs photos with a chance of being drawn")
    return np.asarray(mass / mass.sum())


@dataclass(frozen=True)
class Importance:
    """What labels of one drawing count in each of m cumulative regions.

    Attributes:
        weight: (m, m) of a label of band b (column) in region j (row); 0 inward of the region, and in regions that the
            drawing does not speak for.
        most: (m,) the largest weight in each region, at least 1.
        speaks: (m,) whether every band of the region could be drawn.
    """

    weight: Floats
    most: Floats
    speaks: npt.NDArray[np.bool_]


def importance(share: npt.ArrayLike, drawn: npt.ArrayLike) -> Importance:
    """Weights of a drawing.

    Args:
        share: (m,) share of the pool inside each region, rising.
        drawn: (m,) the drawing, from ``drawing``.
    """
    cumulative, d = np.asarray(share, dtype=np.float64), np.asarray(drawn, dtype=np.float64)
    if cumulative.shape != d.shape:
        raise ValueError("a drawing has a number for each band of the ladder")
    m = len(d)
    p = np.diff(cumulative, prepend=0.0)
    inside = np.tri(m, dtype=bool)
    speaks = np.cumsum((p > 0) & (d <= 0)) == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(d > 0, p / d, 0.0)
        factor = np.cumsum(d) / cumulative
    weight = np.where(inside & speaks[:, None], ratio[None, :] * factor[:, None], 0.0)
    weight = np.where(np.isfinite(weight), weight, 0.0)
    return Importance(weight, np.maximum(weight.max(axis=1, initial=1.0), 1.0), speaks)
