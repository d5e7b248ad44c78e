"""What may be spent of δ on labels: other wishes and versions that read the same labels pay for themselves.

The account is each label's. A *use* is a plan for one version, guideline and wish; it holds the labels that it counts, now
or later. The first use of labels gets ``FIRST`` of δ. One that shares labels, be it a single one, with k − 1 earlier uses
gets (1 − ``FIRST``) δ / (k (k − 1)). The uses that hold any one label are then given at most ``FIRST`` δ,
(1 − ``FIRST``) δ / 2, (1 − ``FIRST``) δ / 6 and so on in their order, which sums to δ however many follow.

Labels that no use has held bring a δ of their own: it bounds what they prove, not what a project states in all its life.

Under the anytime and planned methods a use is a plan, since its looks cost nothing; under the exact method each look is one.
A union bound: it holds though later uses, and whether there is one, depend on what the earlier looks showed.
"""

from __future__ import annotations

from collections.abc import Sequence

from inference.certify.binomial import check_level

#: Most labels serve one use. The rest of δ is there for a wish that changes, and for a version that comes back.
FIRST = 0.8


class Overspent(ValueError):
    """Earlier uses of the same labels spent so much that another would exceed δ: it was greater then."""


def next_share(delta: float, spent: Sequence[float] = ()) -> float:
    """The δ of another use of labels.

    Args:
        delta: what all uses of a label may spend together.
        spent: by each earlier use that shares a label with this one.

    Raises:
        Overspent: nothing is left under this δ.
        ValueError: a δ outside 0 and 1.
    """
    check_level("delta", delta)
    k = len(spent) + 1
    share = delta * (FIRST if k == 1 else (1.0 - FIRST) / (k * (k - 1)))
    if sum(spent) + share > delta * (1 + 1e-9):
        raise Overspent(f"{sum(spent):g} of {delta:g} is spent on these labels")
    return share
