"""Made-up photos of brushed metal in five classes: intact, scratch, dent, stain, crack.

Grey, lit from a side, brushed in any direction. A scratch is straight and bright, a crack dark, thin and wandering, a dent
a soft pair of light and shadow, a stain flat; faint ones of each are hard to tell from the brushing.
"""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, map_coordinates

from benchmarks.pictures.base import Pictures, collect, png

COUNTS = {"intact": 300, "scratch": 200, "dent": 150, "stain": 150, "crack": 100}
_SIDE = 192
_SEED = 20261130

Floats = npt.NDArray[np.float64]


def load() -> Pictures:
    labels = [label for label, count in COUNTS.items() for _ in range(count)]
    return collect(
        "metal",
        list(COUNTS),
        ((label, png(photo(label, np.random.default_rng([_SEED, i])))) for i, label in enumerate(labels)),
    )


def photo(label: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """(side, side) one plate."""
    y, x = np.mgrid[:_SIDE, :_SIDE] - _SIDE / 2.0
    plate = rng.uniform(0.4, 0.65) + _brushed(x, y, rng) + rng.uniform(0.0, 0.15) * _slope(x, y, rng)
    match label:
        case "scratch":
            plate += rng.uniform(0.1, 0.4) * _line(x, y, rng.uniform(0.0, 0.03), rng)
        case "crack":
            plate -= rng.uniform(0.12, 0.45) * _line(x, y, rng.uniform(0.35, 0.7), rng)
        case "dent":
            plate += rng.uniform(0.06, 0.3) * _dent(x, y, rng)
        case "stain":
            plate -= rng.uniform(0.05, 0.25) * _spot(x, y, rng)
    plate = gaussian_filter(plate, rng.uniform(0.3, 1.0)) + rng.normal(0.0, rng.uniform(0.01, 0.03), x.shape)
    return np.asarray(np.clip(np.round(255.0 * plate), 0, 255), dtype=np.uint8)


def _slope(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    angle = rng.uniform(0.0, 2.0 * np.pi)
    return np.asarray((x * np.cos(angle) + y * np.sin(angle)) / _SIDE)


def _brushed(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """Noise that is long along the brush and short across it, turned to any direction."""
    wide = 2 * _SIDE
    noise = gaussian_filter(
        rng.normal(size=(wide, wide)), (rng.uniform(0.5, 1.2), rng.uniform(10.0, 40.0)), mode="wrap"
    )
    angle = rng.uniform(0.0, np.pi)
    at = np.stack([y * np.cos(angle) - x * np.sin(angle), x * np.cos(angle) + y * np.sin(angle)]) + _SIDE
    turned = map_coordinates(noise, at, order=1, mode="wrap")
    return np.asarray(rng.uniform(0.03, 0.07) * turned / noise.std())


def _line(x: Floats, y: Floats, wander: float, rng: np.random.Generator) -> Floats:
    """1 on a line that bends by ``wander`` radians every few pixels, 0 elsewhere, half a pixel to two wide."""
    steps = int(rng.integers(25, 60))
    heading = rng.uniform(0.0, 2.0 * np.pi) + np.cumsum(rng.normal(0.0, wander, steps))
    # Pulled back to where it set out for, or it would curl up.
    heading = heading[0] + 0.6 * (heading - heading[0])
    points = np.cumsum(3.0 * np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0)
    points += rng.uniform(-0.25, 0.25, 2) * _SIDE - points.mean(axis=0)
    fine = np.stack([np.interp(np.linspace(0, steps - 1, 6 * steps), np.arange(steps), p) for p in points.T])
    column, row = np.round(fine + _SIDE / 2.0).astype(np.int64)
    inside = (column >= 0) & (column < _SIDE) & (row >= 0) & (row < _SIDE)
    drawn = np.zeros(x.shape)
    drawn[row[inside], column[inside]] = 1.0
    soft = gaussian_filter(drawn, rng.uniform(0.5, 1.2))
    return np.asarray(soft / max(float(soft.max()), 1e-9))


def _dent(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """The slope of a round hollow towards the light: bright on one side, dark on the other."""
    centre, radius = rng.uniform(-0.3, 0.3, 2) * _SIDE, rng.uniform(0.05, 0.16) * _SIDE
    u, v = (x - centre[0]) / radius, (y - centre[1]) / (radius * rng.uniform(0.6, 1.4))
    angle = rng.uniform(0.0, 2.0 * np.pi)
    towards = u * np.cos(angle) + v * np.sin(angle)
    return np.asarray(1.65 * towards * np.exp(-0.5 * (u**2 + v**2)))


def _spot(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """A flat patch with an uneven edge."""
    centre, radius = rng.uniform(-0.3, 0.3, 2) * _SIDE, rng.uniform(0.06, 0.2) * _SIDE
    edge = gaussian_filter(rng.normal(size=x.shape), radius / 3.0)
    distance = np.hypot(x - centre[0], y - centre[1]) / radius + 0.4 * edge / edge.std()
    return np.asarray(1.0 / (1.0 + np.exp(np.clip((distance - 1.0) * rng.uniform(3.0, 12.0), -30.0, 30.0))))
