"""Vectors as points of a plane in which neighbours stay neighbours, so that a pool can be looked at as a map.

A few thousand *landmarks* are laid out by t-SNE (van der Maaten and Hinton 2008), begun at the principal axes, by which
groups keep their places to each other (Kobak and Berens 2019). All others stand between the landmarks that they are nearest
to, and so does whatever comes later: no point moves another one, and a million cost what their distances to landmarks do.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sklearn.manifold import TSNE

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

#: Points that lay the plane out. More tell smaller groups apart, and take longer.
LANDMARKS = 4_000
#: The plane's side: places are whole numbers below it.
SIDE = 65_536
_MARGIN = 0.04
#: Landmarks that a point stands between.
_NEAREST = 5
#: With fewer there are no neighbours to speak of; the principal axes do.
_LEAST = 12
_CHUNK = 2_048


def landmarks(count: int, *, seed: int = 0) -> Ints:
    """Which of ``count`` points lay the plane out, rising: all, or :data:`LANDMARKS` drawn at random."""
    if count <= LANDMARKS:
        return np.arange(count)
    drawn = np.random.default_rng(seed).choice(count, LANDMARKS, replace=False)
    return np.asarray(np.sort(drawn), dtype=np.int64)


def lay_out(rows: Floats, *, seed: int = 0) -> Floats:
    """(n, 2) places of the landmarks (n, d), each from 0 to :data:`SIDE`. The same rows and seed give the same places."""
    if len(rows) < _LEAST or not np.ptp(rows, axis=0).any():
        flat = _principal(rows)
    else:
        flat = TSNE(
            n_components=2,
            perplexity=min(30.0, (len(rows) - 1) / 3.0),
            init=_principal(rows),
            random_state=seed,
        ).fit_transform(rows)
    middle = (flat.max(axis=0) + flat.min(axis=0)) / 2.0
    widest = float(np.ptp(flat, axis=0).max()) or 1.0
    placed: Floats = (0.5 + (flat - middle) / widest * (1.0 - 2.0 * _MARGIN)).astype(np.float32)
    return placed * np.float32(SIDE - 1)


def place(rows: Floats, known: Floats, places: Floats) -> Iterator[tuple[int, Floats]]:
    """Where rows (n, d) stand among landmarks ``known`` (m, d) at ``places`` (m, 2): (start, (k, 2)), chunk by chunk.

    The mean of the nearest landmarks' places, weighed by the inverse of the squared distance (Shepard 1968): a row that is
    a landmark stands at its place.
    """
    lengths = (known**2).sum(axis=1)
    least = 1e-6 * float(lengths.mean()) + 1e-30  # what rounding leaves of no distance
    near = min(_NEAREST, len(known))
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        apart = lengths[None] - 2.0 * (part @ known.T) + (part**2).sum(axis=1)[:, None]
        which = np.argpartition(apart, near - 1, axis=1)[:, :near]
        nearest = np.take_along_axis(apart, which, axis=1)
        weights = 1.0 / np.where(nearest < least, 1e-6 * least, nearest)
        weights /= weights.sum(axis=1, keepdims=True)
        yield start, np.einsum("nk,nkd->nd", weights, places[which]).astype(np.float32)


def _principal(rows: Floats) -> Floats:
    """(n, 2) along the two widest axes, as small as t-SNE wants to begin."""
    centred = rows - rows.mean(axis=0)
    _left, _values, axes = np.linalg.svd(centred, full_matrices=False)
    flat = np.zeros((len(rows), 2), dtype=np.float32)
    kept = min(2, len(axes))
    flat[:, :kept] = centred @ axes[:kept].T
    spread = float(flat[:, 0].std()) or 1.0
    return np.asarray(flat / spread * 1e-4, dtype=np.float32)
