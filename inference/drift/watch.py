"""All tests on one window, and how often they may be wrong over many windows.

Within a window Holm's method is over all tests. Over windows there are two promises to choose from, both by union
bounds, so that windows may overlap and share one reference:

- ``rate``: every look at the same level α: at most a share α of looks gives a false alarm, one in 1/α looks on average.
  For monitors that somebody looks after: a false alarm costs a glance.
- ``ever``: the k-th look gets α (1/log₂(k+1) − 1/log₂(k+2)), which sums to α: with probability 1 − α there is never one.

A drift monitor says *that* and *where* photos have changed. Whether decisions are still right only the audit can say
(``inference.certify.PrecisionMonitor``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inference.drift.balance import balance_drift
from inference.drift.embeddings import embedding_drift
from inference.drift.result import Drift, holm
from inference.drift.values import score_drift, value_drift

Promise = Literal["rate", "ever"]


@dataclass(frozen=True)
class Photos:
    """What is known of some photos, in the same order; what is None is not compared.

    Attributes:
        embeddings: (n, d).
        scores: (n, k) class probabilities of the model version in charge; out-of-sample.
        classes: (n,) predicted classes, or ground truths.
        quality: name -> (n,) such as brightness and sharpness.
    """

    embeddings: npt.NDArray[np.float32] | None = None
    scores: npt.NDArray[np.floating] | None = None
    classes: Sequence[str] | None = None
    quality: Mapping[str, npt.ArrayLike] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One test with its p-value over all tests of the window (Holm), and whether that is an alarm."""

    drift: Drift
    adjusted: float
    alarm: bool


@dataclass(frozen=True)
class Report:
    """All tests of one window at ``level``; the surest difference first."""

    level: float
    findings: tuple[Finding, ...]

    @property
    def alarm(self) -> bool:
        """Whether anything has drifted."""
        return any(finding.alarm for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, strings and lists."""
        return {
            "level": self.level,
            "alarm": self.alarm,
            "findings": [
                {**finding.drift.as_json(), "adjusted": finding.adjusted, "alarm": finding.alarm}
                for finding in self.findings
            ],
        }


def level_of(look: int, alpha: float, promise: Promise = "rate") -> float:
    """Level of the ``look``-th look, counted from 1."""
    if look < 1:
        raise ValueError("looks are counted from 1")
    if not 0.0 < alpha < 1.0:
        raise ValueError("alpha must lie between 0 and 1")
    return alpha if promise == "rate" else float(alpha * (1 / np.log2(look + 1) - 1 / np.log2(look + 2)))


def compare(reference: Photos, window: Photos, *, level: float, seed: int = 0) -> Report:
    """Tests the window against the reference in everything that both have.

    Args:
        reference: a random sample of the photos that the model version was made for, about 500 to 2,000.
        window: the most recent photos; 100 or more.
        level: probability of a false alarm in this look, over all tests: ``level_of``.
    """
    found: list[Drift] = []
    if reference.embeddings is not None and window.embeddings is not None:
        found.append(embedding_drift(reference.embeddings, window.embeddings, seed=seed))
    if reference.scores is not None and window.scores is not None:
        found.append(score_drift(reference.scores, window.scores))
    if reference.classes is not None and window.classes is not None:
        found.append(balance_drift(reference.classes, window.classes, seed=seed))
    found += [
        value_drift(reference.quality[name], window.quality[name], name=name)
        for name in reference.quality
        if name in window.quality
    ]
    adjusted = holm([one.p_value for one in found])
    findings = [Finding(one, p, p <= level) for one, p in zip(found, adjusted, strict=True)]
    return Report(level, tuple(sorted(findings, key=lambda finding: finding.drift.p_value)))
