"""The certifying sample: photos of a plan's cohort that were drawn after the plan was written, settled strictly.

The audit walks the pool in the order of random keys. What it draws of the cohort is, given all that went before, a uniform
sample of it, whatever people took meanwhile: a photo that they settled before its turn has its place in the sample all the
same. Ground truths that come late come late because they were doubtful: so the sample ends before the first photo that is
still open. A photo of whose strict, blind label nothing will ever be known (a grid had shown it, it became gold, an import
had labeled it, it was erased) counts as wrong: to leave it out would leave the sample to whoever chose it.

Photos that were asked for from a region (:class:`~labeling.frontier.models.BandDraw`) are in it too, and speak for that
region and those outside of it. One that came by both ways is in it twice (``inference.certify.Sample.photo``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from inference.certify import Ladder, Rest
from inference.certify.ring import Taken
from labeling.catalog.meaning import same_meaning
from labeling.catalog.selectors import class_resolution
from labeling.database.planner import without_nested_loops
from labeling.frontier.blind import ASSISTED, DECIDED, SHOWN
from labeling.frontier.cohort import FIRST_ANSWER, KNOWN_WRONG, LEFT, OF_COHORT, TAKEN, WORD, parameters
from labeling.frontier.models import CertificationPlan
from labeling.truth.current import IMPORTED


@dataclass(frozen=True)
class Label:
    """One draw. ``settled_as``: class id in force today, None for a hold or an unusable photo.

    ``correct``: whether that is what was predicted; an undecided photo that does not count as an error is no error.
    ``frame``: threshold of the region that it was asked for from, None where the audit's walk drew it.
    ``agreed``: whether the first blind answer was what was predicted.
    """

    item_id: int
    ground_truth_id: int
    sha256: str
    predicted: int
    confidence: float
    settled_as: int | None
    correct: bool
    frame: float | None = None
    agreed: bool = False


@dataclass
class Draws:
    """``labels`` in the order of the draw. ``counts``: what was drawn, and why some of it does not count (yet)."""

    labels: list[Label] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    last_drawn_at: datetime | None = None
    pending: list[int] = field(default_factory=list)

    @property
    def items(self) -> list[int]:
        """Each photo once, in the order of its first draw."""
        return list(dict.fromkeys(label.item_id for label in self.labels))

    @property
    def digest(self) -> str:
        lines = "".join(f"{label.sha256} {label.ground_truth_id}\n" for label in self.labels)
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def decided_share(self) -> float:
        """Share of the sample that people could decide, where the others do not count as errors."""
        undecided = self.counts["undecided"]
        return (len(self.labels) - undecided) / len(self.labels) if undecided else 1.0


_DRAWN = f"""
SELECT i.id, drawn.at, g.sha256, word.id, word.kind, r.counts_as, word.guideline_id, word.told, s.predicted_id, s.confidence,
       EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id) AS swept,
       EXISTS (SELECT 1 FROM truth_gold o WHERE o.item_id = i.id) OR {SHOWN} OR {IMPORTED} AS gold,
       {DECIDED} OR {ASSISTED} AS decided,
       drawn.threshold, coalesce(f.counts_as = s.predicted_id, false) AS agreed, i.project_id IS NULL AS erased
{OF_COHORT}
JOIN catalog_image g ON g.id = i.image_id
JOIN LATERAL (
    SELECT i.audit_drawn_at AS at, NULL::float8 AS threshold, 0 AS place WHERE i.audit_drawn_at > %(written)s
    UNION ALL
    SELECT b.created_at, b.threshold, d.place FROM frontier_drawnphoto d JOIN frontier_banddraw b ON b.id = d.draw_id
    WHERE d.item_id = i.id AND b.plan_id = %(plan)s
) drawn ON true
{WORD} {FIRST_ANSWER}
ORDER BY drawn.at, drawn.place, i.random_key
"""  # noqa: S608


def draws(plan: CertificationPlan) -> Draws:
    """The labels that count for this plan now.

    What counts is the first word of people (``truth.first_word``). ``counts``: drawn (since the plan, of its cohort), used;
    decided (by the machine, or by one answer with it, before it was drawn: people may know of it, so it is left out); swept
    (shown in a sweep's grid, whatever came of it), gold (called so, or an exemplar, or labeled by an import), erased (before
    it was settled), older (settled under a guideline that means another thing) and told (at a review that says why,
    beside a hint, or by an answer that was not blind), all of which count as wrong; undecided (no error by the policy);
    open, behind (settled, but drawn after an open one).
    """
    resolution, alike = class_resolution(plan.project), set(same_meaning(plan.guideline))
    names = (
        "drawn",
        "used",
        "decided",
        "swept",
        "gold",
        "erased",
        "older",
        "told",
        "undecided",
        "open",
        "behind",
    )
    found = Draws(counts=dict.fromkeys(names, 0))
    count = found.counts
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(_DRAWN, parameters(plan, resolution) | {"written": plan.created_at})
        rows = cursor.fetchall()
    seen: set[int] = set()
    for row in rows:
        item, drawn_at, sha256, truth, kind, settled_as, under, told = row[:8]
        predicted, confidence, swept, gold, decided, frame, agreed, erased = row[8:]
        again, correct = item in seen, False
        seen.add(item)
        count["drawn"] += not again
        if decided:
            count["decided"] += not again
            continue
        if swept or gold:
            count["swept" if swept else "gold"] += not again
        elif truth is None and erased:
            count["erased"] += not again
        elif truth is None:
            count["open"] += not again
            found.pending += [] if again else [item]
            continue
        elif under not in alike:
            count["older"] += not again
        elif told:
            count["told"] += not again
        elif kind != "class":
            correct = not plan.undecided_are_errors
        else:
            correct = settled_as == predicted
        if count["open"]:
            count["behind"] += not again
            continue
        spared = correct and kind != "class"
        count["undecided" if spared else "used"] += not again
        said = settled_as if kind == "class" and not told else None
        found.labels.append(
            Label(item, truth or 0, sha256, predicted, confidence, said, correct, frame, agreed)
        )
        found.last_drawn_at = drawn_at
    return found


_LEFT = f"""
SELECT s.predicted_id, s.confidence, {LEFT} AS remains, {KNOWN_WRONG} AS wrong
{OF_COHORT} {WORD}
"""


def rests(plan: CertificationPlan, ladders: dict[str, Ladder], decided_share: float) -> dict[str, Rest]:
    """Class id (text) -> what is left to the machine of each region of its ladder, and what people found in what they took.

    ``decided_share``: of the rest, so many are photos that people could decide; the others are no part of what is stated.
    """
    predicted, confidence, remains, known = _left(plan)
    found = {}
    for name, rungs in ladders.items():
        inside = (predicted == int(name))[None, :] & (confidence[None, :] >= rungs.thresholds[:, None])
        left = np.floor((inside & remains).sum(axis=1) * decided_share + 1e-9).astype(np.int64)
        found[name] = Rest(left, (inside & known).sum(axis=1))
    return found


def rest_of_all(plan: CertificationPlan, thresholds: npt.NDArray[np.float64]) -> Rest:
    """The same of each region of all classes together, from these margins up."""
    _predicted, confidence, remains, known = _left(plan)
    inside = confidence[None, :] >= thresholds[:, None]
    return Rest((inside & remains).sum(axis=1), (inside & known).sum(axis=1))


def _left(plan: CertificationPlan) -> tuple[Any, Any, Any, Any]:
    """Of the cohort, (n,) each: predicted class id, margin, whether it is left to the machine; if not, known as wrong."""
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(_LEFT, parameters(plan, class_resolution(plan.project)))
        rows = cursor.fetchall()
    remains = np.array([row[2] for row in rows], dtype=bool)
    return (
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.float64),
        remains,
        np.array([row[3] for row in rows], dtype=bool) & ~remains,
    )


def taken(plan: CertificationPlan, ladders: dict[str, Ladder]) -> dict[str, Taken]:
    """Class id (text) -> what people answered of each region of its ladder, other than what one answer settled."""
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(TAKEN, parameters(plan, class_resolution(plan.project)))
        rows = cursor.fetchall()
    predicted = np.array([row[0] for row in rows], dtype=np.int64)
    confidence = np.array([row[1] for row in rows], dtype=np.float64)
    wrong = np.array([row[2] for row in rows], dtype=bool)
    found = {}
    for name, rungs in ladders.items():
        inside = (predicted == int(name))[None, :] & (confidence[None, :] >= rungs.thresholds[:, None])
        found[name] = Taken(inside.sum(axis=1), (inside & wrong).sum(axis=1))
    return found
