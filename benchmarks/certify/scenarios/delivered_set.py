"""One promise over all labels that leave, with a floor under the machine's own part, while people take the surest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.pools import precision_of
from benchmarks.certify.scenarios import Scenario
from inference.certify.delivery import OWN, Path, begin, certify_delivery, mended, path
from inference.certify.delivery import Outcomes as Labels
from inference.certify.finite import Rest

Bools = npt.NDArray[np.bool_]

STATED, FLOOR, DELTA = 0.93, 0.90, 0.05
PHOTOS, LABELS = 4000, 800
#: Share of the photos that people take between the plan and the look, from the surest on.
TAKEN = 0.12


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """Models that are surer than they should be, or less sure; a third of the labelers share the machine's errors."""
    violated = {arm: np.zeros(runs, dtype=bool) for arm in ("before", "after")}
    coverage = {arm: np.zeros(runs) for arm in violated}
    for run in range(runs):
        doubt = rng.beta(0.6, rng.uniform(1.0, 2.0), PHOTOS) / 2.0
        wrong = rng.random(PHOTOS) < np.clip(doubt * rng.uniform(0.5, 2.0) + rng.uniform(0.0, 0.03), 0.0, 1.0)
        agreed = np.where(wrong, rng.random(PHOTOS) < rng.uniform(0.05, 0.4), rng.random(PHOTOS) < 0.97)
        drawn = rng.choice(PHOTOS, LABELS, replace=False)
        taken = np.argsort(np.argsort(doubt)) < TAKEN * PHOTOS
        taken[drawn] = True
        ways = path(doubt, precision=STATED)
        labels = Labels(doubt[drawn], wrong[drawn], agreed[drawn])
        inside = doubt[:, None] <= ways.machine
        lost = wrong[:, None] & (inside | ((doubt[:, None] <= ways.assisted) & agreed[:, None]))
        found = certify_delivery(
            labels,
            ways,
            precision=STATED,
            floor=FLOOR,
            delta=DELTA,
            planned=LABELS,
            rest=Rest(
                (inside & ~taken[:, None]).sum(axis=0), (inside & (wrong & taken)[:, None]).sum(axis=0)
            ),
            known_lost=lost[taken].sum(axis=0),
        ).certified
        for arm, at in (
            ("before", _of_the_whole(inside[drawn], lost[drawn], wrong[drawn], ways)),
            ("after", found),
        ):
            if at is None:
                continue
            # What people took is delivered as they settled it.
            missed, alone = int((lost[:, at] & ~taken).sum()), inside[:, at] & ~taken
            violated[arm][run] = (
                missed > (1.0 - STATED) * PHOTOS + 1e-9 or precision_of(wrong[alone]) < FLOOR - 1e-9
            )
            coverage[arm][run] = alone.mean()
    return {arm: Outcomes(violated[arm], coverage[arm]) for arm in violated}


def _of_the_whole(inside: Bools, lost: Bools, wrong: Bools, ways: Path) -> int | None:
    """Before: the floor is proven of the machine's part as it was, whatever people take of it."""
    level = (1.0 - OWN) * DELTA
    start = begin(ways, FLOOR, DELTA, LABELS)
    if start is None:
        return None
    n, errors, photos = inside.sum(axis=0), (inside & wrong[:, None]).sum(axis=0), ways.inside
    counted_on = mended(PHOTOS, LABELS, STATED, level)
    whole = hypergeom.cdf(lost.sum(axis=0), PHOTOS, int((1.0 - STATED) * PHOTOS) + counted_on + 1, LABELS)
    of_floor = hypergeom.cdf(errors, photos, np.floor((1.0 - FLOOR) * photos).astype(int) + 1, n)
    fell = int(np.cumprod(np.maximum(whole, of_floor)[start:] <= level).sum())
    good = [j for j in range(start, start + fell) if lost[:, j].sum() >= counted_on]
    return good[-1] if good else None


SCENARIO = Scenario(
    name="delivered_set",
    says="all labels that leave together, with a floor under the machine's own, and people take the surest while the labels "
    "come in: the floor is proven of the whole part, or of what is left of it",
    delta=DELTA,
    simulate=simulate,
)
