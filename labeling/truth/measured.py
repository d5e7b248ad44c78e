"""How people work in a project, measured from what they answered: for the catalog, which asks it of whoever knows."""

from __future__ import annotations

from labeling.catalog.models import Project
from labeling.database.kept_counts import counts
from labeling.truth.estimates import Proportion
from labeling.truth.models import Draw
from labeling.truth.quality.agreement import agreement
from labeling.truth.tallies import photos, settled_count


def measured(project: Project) -> dict[str, float]:
    """As :class:`~labeling.catalog.work.Work` names it, each figure with from how many it is."""
    blind = [
        each for each in counts(project, "labelers") if each.key[2] != Draw.SWEEP and each.key[3] == "stands"
    ]
    answers, answer_s = sum(each.n for each in blind), sum(each.amount for each in blind) / 1000
    # The time since the same person's ruling before, where they went on at once.
    paced = [each for each in counts(project, "rulings") if each.key[1] == "on"]
    rulings, ruling_s = sum(each.n for each in paced), sum(each.amount for each in paced) / 1000
    agreed = agreement(project)
    pairs = round(sum(band.pairs for band in agreed["bands"]))
    alike = Proportion(round((agreed["observed"] or 0.0) * pairs), pairs)
    return {
        "answers": answers,
        "answer_s": answer_s / answers if answers else 0.0,
        "rulings": rulings,
        "ruling_s": ruling_s / rulings if rulings else 0.0,
        "pairs": pairs,
        "agree": alike.share or 0.0,
        "agree_low": alike.low,
        "agree_high": alike.high,
        "open": max(photos(project) - settled_count(project), 0),
    }
