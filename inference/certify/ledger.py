"""What was spent of δ on one sample of labels: repeated looks and retrained models pay for themselves.

Fresh labels, drawn after the model version was fixed, bring their own δ. Labels that an earlier version was certified on
may serve again, as long as they never trained: the k-th use of a sample gets δ / (k (k + 1)), which sums to δ however many
follow.
Under the anytime method a use is a model version, since its looks cost nothing; under the exact method each look is one.

A union bound: it holds though later versions, and whether there is one, depend on what the earlier looks showed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from inference.certify.binomial import check_level


@dataclass(frozen=True)
class Entry:
    """One use of a sample: which one, for what, and the δ that it got."""

    sample: str
    use: str
    delta: float


class Ledger:
    """Uses of samples, append-only; the same use of the same sample is never charged twice.

    Args:
        delta: what all uses of one sample may spend together.
        entries: those recorded before.
    """

    def __init__(self, delta: float, entries: Iterable[Entry] = ()) -> None:
        check_level("delta", delta)
        self.delta = delta
        self._entries = list(entries)
        uses = [(entry.sample, entry.use) for entry in self._entries]
        if len(set(uses)) != len(uses):
            raise ValueError("a use is recorded twice")
        for sample in {entry.sample for entry in self._entries}:
            if self.spent(sample) > delta * (1 + 1e-9):
                raise ValueError(f"more than {delta} is spent on sample {sample}")

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All uses, oldest first."""
        return tuple(self._entries)

    def spend(self, sample: str, use: str) -> float:
        """The δ of this use of this sample; recorded on first call, the same ever after."""
        for entry in self._entries:
            if (entry.sample, entry.use) == (sample, use):
                return entry.delta
        k = 1 + sum(entry.sample == sample for entry in self._entries)
        share = self.delta / (k * (k + 1))
        self._entries.append(Entry(sample, use, share))
        return share

    def spent(self, sample: str) -> float:
        """Sum of what was spent on this sample; below ``delta``."""
        return sum(entry.delta for entry in self._entries if entry.sample == sample)

    def as_json(self) -> dict[str, Any]:
        """For ``Ledger.from_json``."""
        return {"delta": self.delta, "entries": [asdict(entry) for entry in self._entries]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Ledger:
        """The ledger that ``as_json`` wrote."""
        return cls(float(data["delta"]), [Entry(**entry) for entry in data["entries"]])
