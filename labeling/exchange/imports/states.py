"""How photos stand, as far as it matters to a label that comes from elsewhere: many in one look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution, current_guideline
from labeling.queue.places import ARRIVALS
from labeling.truth.current import Given

#: What was said: a kind of answer, and the class of today that it counts as.
What = tuple[str, int | None]

# ``round``: as truth.current.current_round. Each is looked up by the indexes of its item; an offset keeps PostgreSQL from
# reading the whole project for each page, where its statistics are older than the photos.
_STATES = """
SELECT i.id, t.id, coalesce(t.kind, 'withdrawn'), t.label_class_id, coalesce(t.origin, ''),
       EXISTS (SELECT 1 FROM truth_dispute d JOIN truth_opendispute o ON o.dispute_id = d.id WHERE d.item_id = i.id),
       i.audit_drawn_at IS NOT NULL
           OR EXISTS (SELECT 1 FROM frontier_drawnphoto d WHERE d.item_id = i.id)
           OR EXISTS (SELECT 1 FROM frontier_automaticdecision a WHERE a.item_id = i.id AND a.audit AND a.mode = 'on')
           OR EXISTS (SELECT 1 FROM frontier_assistedlabel l WHERE l.item_id = i.id),
       EXISTS (SELECT 1 FROM frontier_automaticdecision a WHERE a.item_id = i.id AND a.mode = 'on'
               AND NOT EXISTS (SELECT 1 FROM frontier_decisionoverruled o WHERE o.decision_id = a.id)),
       g.label_class_id, g.retired_at IS NULL AND g.id IS NOT NULL,
       EXISTS (SELECT 1 FROM truth_annotation a WHERE a.item_id = i.id),
       (SELECT CASE WHEN e.free > 0 THEN GREATEST(%(wanted)s, i.answers_wanted) - e.taken END FROM queue_entry e
        WHERE e.ranking_id = %(ranking)s AND e.item_id = i.id AND e.band <= %(arrivals)s),
       i.answers_wanted,
       EXISTS (SELECT 1 FROM catalog_exemplar x JOIN catalog_classdefinition c ON c.id = x.definition_id
               WHERE c.guideline_id = %(guideline)s AND x.image_id = i.image_id)
FROM unnest(%(items)s::bigint[]) page (id) CROSS JOIN LATERAL (
    SELECT i.id, i.project_id, i.image_id, i.audit_drawn_at, i.answers_wanted FROM catalog_item i
    WHERE i.id = page.id OFFSET 0) i
LEFT JOIN LATERAL (
    SELECT t.id, t.kind, t.label_class_id, t.origin FROM truth_groundtruth t
    WHERE t.item_id = i.id AND NOT EXISTS (SELECT 1 FROM truth_groundtruth n WHERE n.supersedes_id = t.id) LIMIT 1) t ON true
LEFT JOIN truth_gold g ON g.item_id = i.id
WHERE i.project_id = %(project)s
"""
_ANSWERS = """
SELECT a.item_id, a.labeler_id, a.kind, a.label_class_id, a.guideline_id FROM truth_annotation a
WHERE a.item_id = ANY(%(items)s) AND a.draw <> 'gold'
  AND a.round = 1 + (SELECT count(*) FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
                     WHERE d.item_id = a.item_id AND r.outcome = 'send_back')
  AND NOT EXISTS (SELECT 1 FROM truth_retraction r WHERE r.annotation_id = a.id)
ORDER BY a.id
"""
_HINTS = """
SELECT item_id, said_by, kind, label_class_id FROM truth_hint WHERE item_id = ANY(%(items)s) AND retired_at IS NULL
"""


@dataclass(slots=True)
class State:
    """``newest``: the end of the chain of ground truths; ``truth``: what it says, if it is in force, and ``origin``.

    ``free``: answers that are wanted and that nobody has taken; ``None`` where nobody is asked. ``answers``: those that
    stand in this round, of whom; ``hints``: what reviewers are shown, of whom.
    """

    newest: int | None
    truth: What | None
    origin: str
    disputed: bool
    drawn: bool
    decided: bool
    gold: int | None
    is_gold: bool
    begun: bool
    free: int | None
    wanted: int | None
    exemplar: bool
    answers: list[tuple[int, Given]] = field(default_factory=list)
    hints: dict[str, What] = field(default_factory=dict)


def states(project: Project, item_ids: Sequence[int]) -> dict[int, State]:
    """By item id. Classes are those of today; a merged or retired one is none that anybody could name now."""
    resolution = class_resolution(project)
    given: dict[str, Any] = {
        "project": project.pk,
        "items": list(item_ids),
        "ranking": project.rankings.filter(current=True).values_list("pk", flat=True).first() or 0,
        "arrivals": ARRIVALS,
        "wanted": project.answers_per_image,
        "guideline": current_guideline(project).pk,
    }
    found: dict[int, State] = {}
    with connection.cursor() as cursor:
        cursor.execute(_STATES, given)
        for item, newest, kind, class_id, origin, *rest in cursor.fetchall():
            disputed, drawn, decided, gold, is_gold, begun, free, wanted, exemplar = rest
            truth = None if kind == "withdrawn" else (kind, resolution.get(class_id))
            gold = resolution.get(gold)
            found[item] = State(
                newest, truth, origin, disputed, drawn, decided, gold, is_gold, begun, free, wanted, exemplar
            )
        cursor.execute(_ANSWERS, given)
        for item, labeler, kind, class_id, guideline in cursor.fetchall():
            found[item].answers.append((labeler, Given(kind, class_id, guideline)))
        cursor.execute(_HINTS, given)
        for item, said_by, kind, class_id in cursor.fetchall():
            found[item].hints[said_by] = (kind, resolution.get(class_id))
    return found
