"""How many decisions does the machine make from a fall of its precision to the alarm? By schedule of the audit.

Stated .95; α is shared by two classes, except *before*. The fall comes with the certificate (*at once*), or after 1,000
audits with photos that the drift monitors found unusual (*unusual*), or unannounced (*unannounced*). ``audits`` and
``decisions`` are medians; ``waiting``: decisions where as many audits are open as the machine waits for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from inference.certify import PrecisionMonitor

STATED, DELTA, BEFORE = 0.95, 0.05, 0.025
FIRST_DECISIONS, MOST_WAITING, MOST = 2000, 20, 3000
#: (share of the first decisions, share of later ones, α)
SCHEDULES = {
    "before: 1 %": (0.01, 0.01, DELTA),
    "5 %, then 1 %": (0.05, 0.01, DELTA / 2),
    "10 %, then 1 %": (0.10, 0.01, DELTA / 2),
}
#: (audits before the fall, whether anything announced it)
FALLS = {"at once": (0, True), "unusual": (1000, True), "unannounced": (1000, False)}


def decisions(audits: float, first: float, later: float, *, announced: bool) -> int:
    """Made until so many are audited, in expectation."""
    closely = FIRST_DECISIONS * first if announced else 0.0
    return round(min(audits, closely) / first + max(audits - closely, 0.0) / later)


def audits_to_alarm(
    seed: int, rate: float, good: int, alpha: float, *, announced: bool, waiting: int
) -> int | None:
    """Audits drawn from the fall to the alarm; None for a false alarm. ``waiting``: so many of the newest are open."""
    rng = np.random.default_rng(seed)
    monitor = PrecisionMonitor(STATED, alpha)
    if good and monitor.update_many((rng.random(good) >= BEFORE).tolist()):
        return None
    for number in range(MOST):
        if monitor.update(bool(rng.random() >= rate), risk=announced and not number):
            return number + 1 + waiting
    return MOST + waiting


def rows(streams: int) -> dict[str, Any]:
    """Schedule -> fall -> error rate then -> medians."""
    found: dict[str, Any] = {}
    for schedule, (first, later, alpha) in SCHEDULES.items():
        of_schedule = found.setdefault(schedule, {})
        for fall, (good, announced) in FALLS.items():
            # Before, nothing was done about what was announced.
            told = announced and not schedule.startswith("before")
            for rate in (0.10, 0.20, 1.0):
                all_of = [
                    audits_to_alarm(seed, rate, good, alpha, announced=told, waiting=0)
                    for seed in range(streams)
                ]
                audits = float(np.median([each for each in all_of if each is not None]))
                of_schedule.setdefault(fall, {})[f"{rate:.2f}"] = {
                    "audits": audits,
                    "decisions": decisions(audits, first, later, announced=announced),
                    "waiting": decisions(audits + MOST_WAITING, first, later, announced=announced),
                }
    return found
