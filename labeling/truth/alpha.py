"""Krippendorff's alpha of blind answers, from the kept counts: the web process has no numerical library."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from labeling.catalog.models import Project
from labeling.truth.tallies import units


def nominal_alpha(totals: Iterable[int], disagreement: float) -> float | None:
    """Krippendorff's alpha for nominal values, or ``None`` where it is undefined.

    Args:
        totals: how often each value was given, over the units that have at least two answers.
        disagreement: the sum over these units of the ordered pairs of answers that differ, over the unit's answers less 1.

    With n = sum of totals: alpha = 1 - (n - 1) * disagreement / (n^2 - sum of totals^2), which is 1 - D_o / D_e in the
    coincidence matrix of K. Krippendorff, Content Analysis (4th ed. 2018), ch. 12; also A. F. Hayes and K. Krippendorff,
    Answering the call for a standard reliability measure for coding data, 2007. It is 1 where all agree, 0 where they
    agree as often as chance, negative below. Undefined without a pair, and where only one value was ever given: then
    chance could have got nothing wrong.
    """
    counts = list(totals)
    n = sum(counts)
    by_chance = n * n - sum(count * count for count in counts)
    if not by_chance:
        return None
    return 1 - (n - 1) * disagreement / by_chance


@dataclass(frozen=True)
class Reliability:
    """``photos`` with two blind answers or more in one round, and their alpha (``None``: undefined)."""

    photos: int
    alpha: float | None


def alpha_by_band(project: Project, *, since: datetime | None = None) -> dict[int | None, Reliability]:
    """Band in which photos were shown (``None``: without one) -> how reliably people answered them.

    Only blind answers in force; ``since``: only photos whose newest answer is no older.
    """
    totals, sums = _counted(project, since)
    return {
        band: Reliability(photos, nominal_alpha(totals[band].values(), differ))
        for band, (differ, photos) in sums.items()
    }


def alpha_since(project: Project, since: datetime | None) -> Reliability:
    """How reliably people answered the photos whose newest blind answer is no older than ``since``, all bands together."""
    totals, sums = _counted(project, since)
    together = sum(totals.values(), Counter[str]())
    differ = sum(each for each, _photos in sums.values())
    return Reliability(
        sum(photos for _each, photos in sums.values()), nominal_alpha(together.values(), differ)
    )


def _counted(
    project: Project, since: datetime | None
) -> tuple[dict[int | None, Counter[str]], dict[int | None, tuple[float, int]]]:
    """Band -> value -> answers, and band -> (disagreement as :func:`nominal_alpha` wants it, photos).

    One unit is a photo in one round, in the outermost band in which it was shown.
    """
    totals: dict[int | None, Counter[str]] = defaultdict(Counter)
    sums: dict[int | None, tuple[float, int]] = {}
    for unit in units(project, since=since) if since else units(project):
        m = unit.answers
        differ = (m * m - sum(n * n for n in unit.values.values())) / (m - 1)
        for value, n in unit.values.items():
            totals[unit.band][value] += n * unit.n
        so_far, photos = sums.get(unit.band, (0.0, 0))
        sums[unit.band] = (so_far + differ * unit.n, photos + unit.n)
    return totals, sums
