"""Many hypotheses, one δ: graphs along which the δ of a rejected hypothesis is passed on.

Fixed sequences, Holm, fallback and gatekeeping are graphs (Bretz, Maurer, Brannath & Posch 2009, "A graphical approach
to sequentially rejective multiple test procedures"). Each keeps the probability of even one false rejection at or below
δ, whatever the dependence between the p-values. With anytime-valid p-values it does so at every look.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def reject(
    p_values: npt.ArrayLike, weights: npt.ArrayLike, transitions: npt.ArrayLike, delta: float
) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which hypotheses fall, and at which level each was last tested.

    Args:
        p_values: (h,).
        weights: (h,) shares of δ at the start, summing to at most 1.
        transitions: (h, h) shares of a rejected hypothesis' level that go to each other one; rows sum to at most 1.
        delta: probability of any false rejection.

    Returns:
        rejected (h,) and levels (h,); the level of a rejected hypothesis is the one it fell at.
    """
    p = np.asarray(p_values, dtype=np.float64)
    w = np.array(weights, dtype=np.float64)
    g = np.array(transitions, dtype=np.float64)
    if np.any(w < 0) or w.sum() > 1 + 1e-9 or np.any(g < 0) or np.any(g.sum(axis=1) > 1 + 1e-9):
        raise ValueError("weights and rows of transitions must be shares")
    if np.any(np.diag(g) != 0):
        raise ValueError("no hypothesis passes its level on to itself")
    h = len(p)
    rejected = np.zeros(h, dtype=bool)
    levels = np.zeros(h)
    while True:
        ready = np.flatnonzero(~rejected & (w > 0) & (p <= w * delta * (1 + 1e-12)))
        if not len(ready):
            break
        i = int(ready[0])
        rejected[i] = True
        levels[i] = w[i] * delta
        w = w + w[i] * g[i]
        w[i] = 0.0
        # Paths through i become direct ones.
        through = np.outer(g[:, i], g[i])
        loops = g[:, i] * g[i]
        with np.errstate(divide="ignore", invalid="ignore"):
            renewed = np.where((loops < 1.0)[:, None], (g + through) / (1.0 - loops)[:, None], 0.0)
        g = renewed
        g[i], g[:, i] = 0.0, 0.0
        np.fill_diagonal(g, 0.0)
        w[rejected] = 0.0
    levels[~rejected] = w[~rejected] * delta
    return rejected, levels


def chains(starts: Sequence[npt.ArrayLike]) -> tuple[Floats, Floats]:
    """Weights and transitions of one sequence a class, inward, that may begin at several thresholds.

    A rejected threshold hands everything to the next one inward. With one start that is the fixed sequence (Maurer, Hothorn
    & Lehmacher 1995; Westfall & Krishen 2001), with several the fallback procedure (Wiens & Dmitrienko 2005, "The fallback
    procedure for evaluating a single family of hypotheses"): a threshold that fails does not stop those that begin behind
    it. The last one, when a class is certified as far as it goes, hands to the starts of the other classes, from where it
    moves inward past all that has fallen already.

    Args:
        starts: (m,) shares of δ of each class's thresholds, outermost first; all nought where a class has no start.
    """
    shares = [np.asarray(each, dtype=np.float64) for each in starts]
    lengths = [len(each) for each in shares]
    weights = np.concatenate(shares) if shares else np.zeros(0)
    transitions = np.zeros((len(weights), len(weights)))
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(int)
    real = [c for c, share in enumerate(shares) if share.sum() > 0]
    for c in real:
        last = first[c] + lengths[c] - 1
        for i in range(first[c], last):
            transitions[i, i + 1] = 1.0
        others = [o for o in real if o != c]
        for o in others:
            there = slice(first[o], first[o] + lengths[o])
            transitions[last, there] = shares[o] / shares[o].sum() / len(others)
    return weights, transitions
