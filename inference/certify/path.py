"""Ways to deliver a whole cohort, from few errors to many: the cheapest ones for a rising price of an error (a Lagrangian).

They are the cheapest as far as the model's doubts are right: that steers what is tried, and never what is proven. All of it
is settled without a look at a certifying label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.certify.binomial import check_level
from inference.certify.ways import SHARED_ERRORS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RUNGS = 60
#: Expected errors at the first and the last rung, as shares of what is allowed: doubts may be off by so much.
REACH = (0.1, 1.6)
#: Human decisions for a strict label, and those that a doubted photo costs on top where an answer disagrees.
STRICT_COST, DISAGREEMENT_COST = 2.07, 1.4


@dataclass(frozen=True)
class Path:
    """Ways to deliver one cohort. All settled before the first certifying label.

    Attributes:
        machine: (m,) doubt up to which the machine decides alone; rises.
        assisted: (m,) doubt up to which, beyond that, an agreeing answer settles; strict labels for the rest.
        share_machine, share_assisted: (m,) of the cohort's photos in either part.
        expected: (m,) share of wrong labels among all, if doubts are right.
        expected_machine: (m,) share of wrong ones in the machine's part, likewise.
        inside: (m,) photos in the machine's part.
        photos: of the cohort.
    """

    machine: Floats
    assisted: Floats
    share_machine: Floats
    share_assisted: Floats
    expected: Floats
    expected_machine: Floats
    inside: Ints
    photos: int

    def __len__(self) -> int:
        return len(self.machine)


def path(doubt: npt.ArrayLike, *, precision: float, rungs: int = RUNGS) -> Path:
    """The path over a cohort of photos of all predicted classes.

    Args:
        doubt: (N,) about the probability that the prediction is wrong: any number that rises with it will do for what is
            proven, and the better it is calibrated, the more is saved. 1 − the highest probability for two classes, or
            (1 − margin) / 2, which is the same for two and can be had for more.

    With a price λ of an error in human decisions, a photo of doubt q costs λ q by the machine, about
    1 + ``DISAGREEMENT_COST`` q + λ ``SHARED_ERRORS`` q assisted, and ``STRICT_COST`` strict; each goes where it is cheapest.
    """
    check_level("precision", precision)
    q = np.sort(np.asarray(doubt, dtype=np.float64))
    if not q.size:
        none = np.zeros(0)
        return Path(none, none, none, none, none, none, none.astype(np.int64), 0)
    price = np.geomspace(1e6, 2.0, 2000)
    machine = 1.0 / np.maximum((1.0 - SHARED_ERRORS) * price - DISAGREEMENT_COST, 1e-9)
    assisted = np.maximum((STRICT_COST - 1.0) / (SHARED_ERRORS * price + DISAGREEMENT_COST), machine)
    mass = np.concatenate([[0.0], np.cumsum(q)]) / q.size
    inner, outer = (np.searchsorted(q, each, side="right") for each in (machine, assisted))
    expected = mass[inner] + SHARED_ERRORS * (mass[outer] - mass[inner])
    wanted = np.linspace(*REACH, rungs) * (1.0 - precision)
    at = np.clip(np.searchsorted(expected, wanted), 0, len(price) - 1)
    # Two rungs that put every photo the same way are one.
    _, first = np.unique(np.stack([inner[at], outer[at]]), axis=1, return_index=True)
    at = at[np.sort(first)]
    inside = inner[at].astype(np.int64)
    return Path(
        machine[at],
        assisted[at],
        inside / q.size,
        (outer[at] - inside) / q.size,
        expected[at],
        mass[inside] * q.size / np.maximum(inside, 1),
        inside,
        int(q.size),
    )
