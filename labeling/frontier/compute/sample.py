"""The certifying sample: photos that the audit drew after the version was fixed, settled strictly, never trained on.

The audit walks the pool in the order of random keys. What it draws after a training (and after the guideline was written)
is, given all that went before, a uniform sample of the photos that had not been drawn yet; those in the training snapshot
are left out, so the sample speaks for the photos that the version never learned from. What counts is the first word of
people (``truth.first_word``), given blind (``frontier.blind``). Ground truths that come late come
late because they were doubtful: so the sample ends before the first photo that is still open.

Photos that were asked for by band (:class:`~labeling.frontier.models.BandDraw`) are in it too, for the plan that they were
drawn for: each knows its drawing, by which it is weighed. A photo that came by both ways counts once, where it came first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from labeling.catalog.models import Guideline, Project
from labeling.catalog.selectors import class_resolution
from labeling.frontier.blind import DECIDED, SHOWN
from labeling.learning.models import ModelVersion
from labeling.learning.sides import LEARNED_A_TWIN
from labeling.planner import without_nested_loops
from labeling.truth.first_word import first_word


@dataclass(frozen=True)
class Label:
    """One photo of the sample. ``settled_as``: class id in force today, or None for a hold, an unusable photo, a told word.

    ``draw``: the band draw that took it, or None where the audit's even walk did.
    """

    item_id: int
    ground_truth_id: int
    sha256: str
    predicted: int
    confidence: float
    settled_as: int | None
    draw: int | None = None


@dataclass
class Draws:
    """``labels`` in the order of the draw. ``counts``: what was drawn, and why some of it does not count (yet)."""

    labels: list[Label] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    last_drawn_at: datetime | None = None
    pending: list[int] = field(default_factory=list)

    @property
    def digest(self) -> str:
        lines = "".join(f"{label.sha256} {label.ground_truth_id}\n" for label in self.labels)
        return hashlib.sha256(lines.encode()).hexdigest()


_DRAWN = f"""
SELECT i.id, least(i.audit_drawn_at, b.created_at) AS drawn_at, g.sha256, word.id, word.kind, word.label_class_id,
       word.guideline_id, word.told, s.predicted_id, s.confidence,
       EXISTS (SELECT 1 FROM truth_groundtruth old
               WHERE old.item_id = i.id AND old.id = ANY(%(snapshot)s::bigint[]))
         OR {LEARNED_A_TWIN} AS trained,
       EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id) AS swept,
       {SHOWN} OR {DECIDED} AS shown,
       CASE WHEN i.audit_drawn_at IS NULL OR b.created_at < i.audit_drawn_at THEN b.id END AS draw
FROM catalog_item i
JOIN catalog_image g ON g.id = i.image_id
{first_word("i.id")}
LEFT JOIN learning_score s ON s.item_id = i.id AND s.model_version_id = %(model)s
LEFT JOIN frontier_drawnphoto d ON d.item_id = i.id
LEFT JOIN frontier_banddraw b ON b.id = d.draw_id
WHERE i.project_id = %(project)s AND (i.audit_drawn_at IS NOT NULL OR d.id IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM truth_gold o WHERE o.item_id = i.id)
ORDER BY drawn_at, d.place NULLS FIRST, i.random_key
"""  # noqa: S608


def draws(
    project: Project,
    model: ModelVersion,
    guideline: Guideline,
    *,
    undecided_are_errors: bool,
    band_draws: Collection[int] = (),
) -> Draws:
    """The sample that may certify ``model`` now. ``band_draws``: those whose chances the plan can weigh.

    ``counts``: drawn, used, before (drawn before the version or the guideline was fixed), trained (in the snapshot, or a
    near-duplicate is), shown (an exemplar, or decided by the machine before it was drawn: ``frontier.blind``), swept (shown
    in a sweep's grid, beside its prediction: not blind, whatever came of it), older (settled under an earlier guideline),
    unscored, undecided (left out by the policy), open, behind (settled, but drawn after an open one), elsewhere (asked for
    by band under another plan's ladder).
    """
    fixed_at = max(model.snapshot.created_at, guideline.created_at)
    resolution = class_resolution(project)
    names = (
        "drawn",
        "used",
        "before",
        "trained",
        "shown",
        "swept",
        "older",
        "unscored",
        "undecided",
        "open",
        "behind",
        "elsewhere",
    )
    found = Draws(counts=dict.fromkeys(names, 0))
    count = found.counts
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(
            _DRAWN,
            {"snapshot": model.snapshot.ground_truth_ids, "model": model.pk, "project": project.pk},
        )
        rows = cursor.fetchall()
    for row in rows:
        (item, drawn_at, sha256, truth, kind, class_id, under, told) = row[:8]
        (predicted, confidence, trained, swept, shown, draw) = row[8:]
        count["drawn"] += 1
        if drawn_at <= fixed_at:
            count["before"] += 1
        elif trained:
            count["trained"] += 1
        elif draw is not None and draw not in band_draws:
            count["elsewhere"] += 1
        elif shown:
            count["shown"] += 1
        elif swept:
            # Being shown is decided by the score alone. To leave out only what was answered there would keep what was
            # marked, and what people doubt is wrong more often.
            count["swept"] += 1
        elif predicted is None:
            # A photo without an embedding, whatever it shows: leaving it out favours nobody.
            count["unscored"] += 1
        elif truth is None:
            count["open"] += 1
            found.pending.append(item)
        elif under != guideline.pk:
            count["older"] += 1
        elif count["open"]:
            count["behind"] += 1
        elif kind != "class" and not undecided_are_errors:
            count["undecided"] += 1
        else:
            # A word that was told proves nothing. To leave it out would let somebody choose the sample: it counts as wrong.
            settled_as = resolution.get(class_id) if kind == "class" and not told else None
            found.labels.append(Label(item, truth, sha256, predicted, confidence, settled_as, draw))
            found.last_drawn_at = drawn_at
            count["used"] += 1
    return found
