"""Of which photos a plan speaks, and which of them are left to the machine
(docs/decisions/0023-what-a-certificate-speaks-of.md).

A plan's *cohort* are the photos that the machine could have decided when the plan was written. It is written down, because
what makes a photo one of them is not to be seen afterwards. Photos that arrive are in no cohort of an older plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from labeling.catalog.meaning import same_meaning
from labeling.catalog.models import Item, Project
from labeling.database.planner import without_nested_loops
from labeling.frontier.blind import DECIDED, SHOWN
from labeling.frontier.models import Certificate, CertificationPlan, PlanCohort
from labeling.learning.models import ModelVersion
from labeling.learning.sides import LEARNED_A_TWIN
from labeling.queue.places import IS_ASKED_FIRST, IS_WAITED_FOR
from labeling.truth.current import DISPUTED, IMPORTED, SETTLED
from labeling.truth.first_word import first_word

#: SQL over ``catalog_item i``: the machine may decide the photo. Left to people: what they settled, dispute, have begun, or
#: are to be asked first or as the random sample (but not what comes first only because something waits for it); gold;
#: exemplars; what a person or a suspension took back from the machine, or somebody marked in a sweep as not of the model's
#: class. What it has decided is not decided again.
FREE = f"""
i.project_id IS NOT NULL
  AND i.audit_drawn_at IS NULL
  AND NOT {SETTLED}
  AND NOT {DISPUTED}
  AND NOT EXISTS (SELECT 1 FROM truth_gold g WHERE g.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM frontier_drawnphoto d WHERE d.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM queue_entry e
                  WHERE e.ranking_id = %(ranking)s AND e.item_id = i.id
                    AND (e.taken > 0 OR e.round > 1 OR ({IS_ASKED_FIRST} AND NOT {IS_WAITED_FOR})))
  AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id AND p.apart)
  AND NOT {SHOWN}
  AND NOT {DECIDED}
"""  # noqa: S608
_DECIDED_BY_VERSION = """
EXISTS (SELECT 1 FROM frontier_automaticdecision a
        WHERE a.item_id = i.id AND a.mode = 'on' AND a.model_version_id = %(model)s AND NOT EXISTS (
            SELECT 1 FROM frontier_certificateend x WHERE x.certificate_id = a.certificate_id AND x.kind = 'suspended'))
"""

# What people have answered or seen in a grid is no photo of which nobody knows anything; what trained the version
# proves nothing.
_FOUND = f"""
SELECT s.item_id, s.predicted_id, s.confidence
FROM learning_score s JOIN catalog_item i ON i.id = s.item_id
WHERE s.model_version_id = %(model)s AND i.project_id = %(project)s AND {FREE}
  AND NOT EXISTS (SELECT 1 FROM truth_annotation w WHERE w.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM truth_groundtruth t WHERE t.item_id = i.id)
  AND NOT {LEARNED_A_TWIN}
ORDER BY s.item_id
"""  # noqa: S608

#: Photos of a cohort with what the version says: ``c`` (item_id) joined to ``s`` and ``i``.
OF_COHORT = """
FROM (SELECT unnest(item_ids) AS item_id FROM frontier_plancohort WHERE plan_id = %(plan)s) c
JOIN learning_score s ON s.item_id = c.item_id AND s.model_version_id = %(model)s
JOIN catalog_item i ON i.id = c.item_id
"""
#: SQL: the photo is left to the machine, or was when the machine decided it.
LEFT = f"(({FREE}) OR {_DECIDED_BY_VERSION})"
#: The first word of people, and what its class counts as today: ``r.counts_as``.
WORD = f"""
{first_word("i.id")}
LEFT JOIN unnest(%(classes)s::bigint[], %(counts_as)s::bigint[]) AS r (class_id, counts_as)
     ON r.class_id = word.label_class_id
"""
#: The first answer to the photo that stands, in a statement with ``WORD``; ``f.counts_as``: what its class counts as today.
#: An answer from a grid is not blind, and none.
FIRST_ANSWER = """
LEFT JOIN LATERAL (
    SELECT a.id, a.label_class_id FROM truth_annotation a
    WHERE a.item_id = i.id AND a.round = 1 AND a.draw NOT IN ('gold', 'sweep')
      AND NOT EXISTS (SELECT 1 FROM truth_retraction undone WHERE undone.annotation_id = a.id)
    ORDER BY a.id LIMIT 1) answer ON true
LEFT JOIN unnest(%(classes)s::bigint[], %(counts_as)s::bigint[]) AS f (class_id, counts_as)
     ON f.class_id = answer.label_class_id
"""
#: SQL: people said of the photo, blind and by the meaning of the plan's guideline, what the version did not say. Of what a
#: grid had shown, or an import had labeled, or they were told, nothing is known to be wrong.
KNOWN_WRONG = f"""
(word.id IS NOT NULL AND word.guideline_id = ANY(%(guidelines)s) AND NOT word.told
 AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id)
 AND NOT {IMPORTED}
 AND CASE WHEN word.kind = 'class' THEN r.counts_as IS DISTINCT FROM s.predicted_id ELSE %(undecided)s END)
"""  # noqa: S608

_LEFT_OF_REGION = f"""
SELECT count(*) FILTER (WHERE {LEFT}), count(*) FILTER (WHERE NOT {LEFT} AND {KNOWN_WRONG})
{OF_COHORT} {WORD}
WHERE (%(class)s::bigint IS NULL OR s.predicted_id = %(class)s) AND s.confidence >= %(threshold)s
"""


@dataclass(frozen=True)
class RestOfRegion:
    """What is left to the machine of a certificate's cohort now, and the errors that people found in what they took."""

    photos: int
    known: int

    def holds(self, certificate: Certificate) -> bool:
        """Whether what was proven still says of the rest what the certificate states."""
        if certificate.most_wrong is None:
            return False
        allowed = int((1.0 - certificate.precision) * self.photos * certificate.decided_share + 1e-9)
        return certificate.most_wrong - self.known <= allowed


def rest_of(certificate: Certificate, resolution: Mapping[int, int | None]) -> RestOfRegion:
    """Looked up now: people may have taken more since the look. A delivered set speaks of all classes together."""
    plan = certificate.run.plan
    given = parameters(plan, resolution) | {
        "class": certificate.label_class_id if certificate.together is None else None,
        "threshold": certificate.threshold,
    }
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(_LEFT_OF_REGION, given)
        return RestOfRegion(*cursor.fetchone())


#: Photos that one answer did not settle, and that people answered or saw all the same, with what the version says and
#: whether they are known to be wrong. Whether their answer would have agreed is unknown where none was blind: then it counts
#: as one that did.
TAKEN = f"""
SELECT s.predicted_id, s.confidence, {KNOWN_WRONG} AS wrong
{OF_COHORT} {WORD} {FIRST_ANSWER}
WHERE (answer.id IS NULL OR f.counts_as = s.predicted_id)
  AND (EXISTS (SELECT 1 FROM truth_annotation a WHERE a.item_id = i.id)
       OR EXISTS (SELECT 1 FROM truth_groundtruth t WHERE t.item_id = i.id)
       OR EXISTS (SELECT 1 FROM truth_gold o WHERE o.item_id = i.id)
       OR EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id)
       OR {SHOWN})
  AND NOT EXISTS (SELECT 1 FROM frontier_assistedlabel l JOIN frontier_certificate c ON c.id = l.certificate_id
                  WHERE l.item_id = i.id AND c.model_version_id = %(model)s)
"""  # noqa: S608
_TAKEN_OF_RING = f"""
SELECT count(*), count(*) FILTER (WHERE wrong) FROM ({TAKEN}) taken
WHERE predicted_id = %(class)s AND confidence >= %(assisted)s AND confidence < %(threshold)s
"""  # noqa: S608


@dataclass(frozen=True)
class TakenOfRing:
    """Photos of a certificate's ring that agree, or might have, and that no one answer settled; errors known of them."""

    photos: int
    known: int

    def leaves_what_holds(self, certificate: Certificate) -> bool:
        """Whether what was proven of the whole ring still says of the rest what the certificate states of it
        (``inference.certify.ring.ring_holds``). A delivered set states nothing of its ring: what people take of it is right.
        """
        if certificate.ring_spare is None:
            return certificate.together is not None
        return (1.0 - certificate.precision) * self.photos - self.known <= certificate.ring_spare + 1e-9


def taken_of_ring(certificate: Certificate, resolution: Mapping[int, int | None]) -> TakenOfRing:
    """Looked up now."""
    given = parameters(certificate.run.plan, resolution) | {
        "class": certificate.label_class_id,
        "threshold": certificate.threshold,
        "assisted": certificate.assisted,
    }
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(_TAKEN_OF_RING, given)
        return TakenOfRing(*cursor.fetchone())


#: (item id, predicted class id, confidence) of each photo.
Cohort = list[tuple[int, int, float]]


def cohort_of(project: Project, model: ModelVersion) -> Cohort:
    """The photos that the machine could decide now, by rising id."""
    given: dict[str, Any] = {
        "project": project.pk,
        "model": model.pk,
        "snapshot": model.snapshot.ground_truth_ids,
        "ranking": current_ranking(project),
    }
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(_FOUND, given)
        return list(cursor.fetchall())


def write_cohort(plan: CertificationPlan, item_ids: list[int]) -> None:
    """Keep of which photos the plan speaks, and what had come in by then."""
    newest = Item.objects.filter(project=plan.project_id).order_by("-pk").values_list("pk", flat=True).first()
    PlanCohort.objects.create(plan=plan, item_ids=item_ids, pool_to=newest or 0)


def current_ranking(project: Project) -> int:
    """Id of the order in force; 0 where there is none."""
    return project.rankings.filter(current=True).values_list("pk", flat=True).first() or 0


def parameters(plan: CertificationPlan, resolution: Mapping[int, int | None]) -> dict[str, Any]:
    """Of the SQL above. ``resolution``: what each class counts as today."""
    return {
        "plan": plan.pk,
        "project": plan.project_id,
        "model": plan.model_version_id,
        "guidelines": same_meaning(plan.guideline),
        "undecided": plan.undecided_are_errors,
        "classes": list(resolution),
        "counts_as": list(resolution.values()),
        "ranking": current_ranking(plan.project),
    }
