"""How often the whole is right: the bound of an outcome, from the certificates of the answers that it rests on.

The outcome is wrong only if one of them is, so its error is at most the sum of theirs, however they hang together (the union
bound; C. E. Bonferroni 1936). A certificate speaks of all that the machine decides under it, and so does the sum: of all
inspections together at most the mean of their stated errors is wrong, unless wrong answers gather in those that are decided.
It is no probability of one inspection (docs/decisions/0050-a-verdict-and-its-bound.md).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.text.percentage import percentage

PEOPLE = frozenset({"people", "reviewer"})


@dataclass(frozen=True, slots=True)
class Resting:
    """An answer that the outcome rests on. ``by``: people, reviewer, or whoever else; ``error``: stated bound of it, in
    [0, 1], where a certificate says one; ``look``: which look certified it, and ``delta``, at which risk."""

    by: str
    error: float | None = None
    look: int | None = None
    delta: float = 0.0


@dataclass(frozen=True, slots=True)
class Whole:
    """``strict``: answers that people settled by their project's rule, which are what precision is measured by; ``proven``:
    the error of each of the others that has one; ``unproven``: how many have none. ``delta``: of all its certificates."""

    strict: int
    proven: tuple[float, ...]
    unproven: int
    delta: float

    @property
    def bound(self) -> float | None:
        """Of the precision; none where the machine has no part in it, or something in it is not proven at all."""
        return max(0.0, 1.0 - sum(self.proven)) if self.proven and not self.unproven else None

    def says(self) -> list[str]:
        told = []
        if self.strict:
            told.append(
                ngettext(
                    "%(n)d answer was settled by people, by their project's rule: it counts as it is.",
                    "%(n)d answers were settled by people, by their project's rule: they count as they are.",
                    self.strict,
                )
                % {"n": self.strict}
            )
        if self.proven:
            told += self._says_of_proven()
        if self.unproven:
            told.append(
                ngettext(
                    "Of %(n)d answer nothing is proven (from elsewhere, or from a grid), so the whole has no bound.",
                    "Of %(n)d answers nothing is proven (from elsewhere, or from a grid), so the whole has no bound.",
                    self.unproven,
                )
                % {"n": self.unproven}
            )
        return told

    def _says_of_proven(self) -> list[str]:
        kinds = Counter(self.proven).most_common()
        told = [
            ngettext(
                "%(n)d answer was decided with the machine, proven right in at least %(share)s.",
                "%(n)d answers were decided with the machine, each proven right in at least %(share)s.",
                n,
            )
            % {"n": n, "share": share_proven(1.0 - error)}
            for error, n in sorted(kinds)
        ]
        if self.bound is None:
            return told
        if len(self.proven) > 1:
            told.append(
                _("So all %(n)d together are right in at least %(share)s.")
                % {"n": len(self.proven), "share": share_proven(self.bound)}
            )
        told.append(
            _(
                "This is said of inspections on the whole, not of each one; that it says too much has a chance of at most "
                "%(delta)s."
            )
            % {"delta": percentage(self.delta, ".3g")}
        )
        return told


def whole(parts: Iterable[Resting]) -> Whole:
    """What can be said of all these answers together."""
    each = list(parts)
    others = [part for part in each if part.by not in PEOPLE]
    proven = tuple(sorted(part.error for part in others if part.error is not None))
    # The certificates of one look share its risk.
    risks = {part.look: part.delta for part in others if part.error is not None}
    return Whole(len(each) - len(others), proven, len(others) - len(proven), min(1.0, sum(risks.values())))


def share_proven(share: float) -> str:
    """Cut, not rounded: what is stated is not more than is proven."""
    return percentage(math.floor(1000 * share + 1e-6) / 1000, ".4g")
