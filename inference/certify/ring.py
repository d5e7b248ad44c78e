"""The ring beside the machine's part: photos that one blind answer settles where it is the prediction.

In the ring of a cohort an answer would agree on M photos, and be wrong with the machine on W of them; neither is known. What
is stated is W′ ≤ ε M′ (ε = 1 − precision) of the *rest*: of the agreeing photos that people did not take. They took t
agreeing ones, those that certify among them, and found k of these wrong. W′ = W − k at most and M′ = M − t, so the rest is
as good as stated exactly where

    ε t − k ≤ ε M − W.

On the left is what was taken, on the right what the ring has to *spare*: so many fewer wrong ones than are allowed. A lower
bound B of the right side is all that has to be kept, and says at any later time whether the rest still holds, whoever
took what for whatever reason (``ring_holds``).

**The test of a spare.** Given the numbers of labels and of those among them that agree, the agreeing labels are an even
sample of the M, so the wrong ones among them are hypergeometric. Under "the ring has less than B to spare" at least
κ(M) = ⌊ε M − B⌋ + 1 are wrong, and the tail falls with κ: for the true M it is a p-value. M is bounded from below by L, from
the labels that do not agree (hypergeometric too), at a level of its own; from above by the photos less those seen to
disagree. The largest tail between is a p-value unless L is too high: a union bound (Berger & Boos 1994). Over a stretch from
a to b the tail is at most the one of κ(a) wrong ones among b photos, as it falls with the wrong ones and rises with the
photos; so a few stretches do for all M (``p_of_spare``).

**Which spare.** It must stand before the labels, as the walk's targets do: what moves with them could choose the first false
hypothesis. ``aim`` takes what the planned labels and a few more will cost, less the fewest errors among them that the
ring's own bound could not do without the walk. That bound, (ε − r) L with Clopper and Pearson's r for the share of wrong
ones, beside the walk and at a level of its own, may be read at any time (``own_spare``). With fewer errors one of the two
speaks, with more the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from inference.certify import finite
from inference.certify.binomial import clopper_pearson_lower

Ints = npt.NDArray[np.int64]

#: So many times the planned labels may people take besides them until the look, of what these leave, before a spare is too
#: small: certifying labels come while other work goes on.
OTHERS = 0.25
#: Stretches of possible numbers of agreeing photos; more are finer, none is wrong.
STRETCHES = 32


@dataclass(frozen=True)
class Taken:
    """What people took of each region of a ladder, now: the cohort's photos that they answered first, other than as assisted
    labels.

    Attributes:
        agreeing: (m,) those whose first answer was the prediction. Where nothing blind is known of it (shown in a grid, made
            gold) it counts as one that was, and was right: that is the worst.
        wrong: (m,) of the agreeing ones, those that strict labels say are wrong, and were blind.
    """

    agreeing: Ints
    wrong: Ints


def ring_holds(spare: float, *, precision: float, agreeing: int, wrong: int) -> bool:
    """Whether of what people left of a ring as many agreeing answers are right as stated.

    Args:
        spare: kept with the certificate (``Agreement.ring_spare``).
        agreeing, wrong: what people took of the ring by now, as ``Taken``.
    """
    return (1.0 - precision) * agreeing - wrong <= spare + 1e-9


def agreeing_at_least(agreeing: int, n: int, photos: int, level: float) -> int:
    """Lower bound of a ring's photos on which an answer would agree, by ``n`` labels of it; too high with ``level``."""
    return photos - finite.most_wrong(n - agreeing, n, photos, level)


def p_of_spare(errors: int, n: int, spare: float, precision: float, least: int, most: int) -> float:
    """Of "the ring has less than ``spare`` to spare", from ``n`` agreeing labels.

    Args:
        least, most: bounds of the photos on which an answer would agree.
    """
    if n == 0:
        return 1.0
    worst = 0.0
    for low, beyond in pairwise(np.unique(np.linspace(least, most + 1, STRETCHES + 1).astype(int)).tolist()):
        total = int(np.floor((1.0 - precision) * low - spare + 1e-9)) + 1
        worst = max(worst, finite.p_value(errors, n, total, beyond - 1))
    return worst


def own_spare(errors: int, n: int, precision: float, least: int, most: int, level: float) -> float:
    """Lower bound of what the ring has to spare, whatever was tested; too high with probability ``level``."""
    over = (1.0 - precision) - (1.0 - float(clopper_pearson_lower(errors, n, level)))
    return over * (least if over > 0 else most)


def aim(labels: int, photos: int, precision: float, level: float) -> float:
    """The spare to be tested of a ring in which so many agreeing labels are expected, of so many agreeing photos.

    ``level``: of the ring's own bound.
    """
    missed, left = 1.0 - precision, max(photos - labels, 0) / max(photos, 1)
    cost = missed * labels * (1.0 + OTHERS * left)
    errors = np.arange(int(cost) + 2)
    over = missed - (1.0 - clopper_pearson_lower(np.minimum(errors, labels), labels, level))
    enough = (errors <= labels) & (over * photos >= cost - errors)
    by_itself = len(enough) if enough.all() else int(np.argmin(enough))
    return max(cost - by_itself, 0.0)
