"""The machine as second reader: one blind answer that says what it says settles a photo of a certificate's *ring*.

The ring is what a certificate's ``assisted`` threshold adds inside its own. Whoever answers sees nothing of it: the queue
offers such a photo for one answer first, and for the others where that one does not settle it. A share of those that agree
gets its second person all the same, by lot: they audit the others
(docs/decisions/0026-a-second-reader-and-a-second-promise.md).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from django.core.cache import cache
from django.db import connection, transaction

from labeling.catalog.meaning import meanings
from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.database.planner import without_nested_loops
from labeling.frontier.arrivals import LIKE_THE_POOL, arrivals_now
from labeling.frontier.auditing import MOST_WAITING
from labeling.frontier.blind import DECIDED, SHOWN
from labeling.frontier.certificates import in_force
from labeling.frontier.cohort import FREE, current_ranking, taken_of_ring
from labeling.frontier.models import (
    AssistedLabel,
    Certificate,
    CertificationPlan,
    EndKind,
    FrontierPolicy,
    Mode,
)
from labeling.frontier.policy import FIRST_DECISIONS, first_share, policy_of
from labeling.queue import priority
from labeling.queue import services as queue
from labeling.queue.places import OPEN_AUDITS
from labeling.truth import services as truth
from labeling.truth.current import is_settled
from labeling.truth.models import Annotation, AnswerKind, Draw

#: Seconds for which answers are taken by what was found of a ring's rest before.
HELD_FOR_S = 60
_lot = random.SystemRandom()

# Of the certificate's cohort, or of the arrivals that are not told apart from the pool it was drawn from.
_OFFERED = f"""
SELECT s.item_id FROM learning_score s
JOIN unnest(%(classes)s::bigint[], %(from)s::float8[], %(to)s::float8[]) AS c (class_id, lowest, below)
     ON c.class_id = s.predicted_id AND s.confidence >= c.lowest AND s.confidence < c.below
JOIN catalog_item i ON i.id = s.item_id
WHERE s.model_version_id = %(model)s AND i.project_id = %(project)s AND {FREE}
  AND (i.id IN (SELECT unnest(item_ids) FROM frontier_plancohort WHERE plan_id = %(plan)s) OR {LIKE_THE_POOL})
"""  # noqa: S608


def offer_rings(project: Project) -> int:
    """Let the queue ask one person first of each photo of the rings in force; return of how many it does."""
    if policy_of(project).mode != Mode.ON:
        return 0
    rings = _rings(project)
    plans = {each.run.plan for each in rings}
    return sum(_offer(project, [each for each in rings if each.run.plan == plan], plan) for plan in plans)


def _offer(project: Project, rings: Sequence[Certificate], plan: CertificationPlan) -> int:
    """Rings of one plan, which says of which photos they speak."""
    given = {
        "classes": [each.label_class_id for each in rings],
        "from": [each.assisted for each in rings],
        "to": [each.threshold for each in rings],
        "model": plan.model_version_id,
        "project": project.pk,
        "plan": plan.pk,
        "ranking": current_ranking(project),
        **arrivals_now(rings[0], project),
    }
    with without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(_OFFERED, given)
        offered = [row[0] for row in cursor.fetchall()]
    return queue.offer_once(project=project, item_ids=offered)


def _rings(project: Project) -> list[Certificate]:
    """Certificates in force with a ring of which what was proven still speaks."""
    resolution = class_resolution(project)
    return [each for each in in_force(project) if each.assisted is not None and _holds(each, resolution)]


def _holds(certificate: Certificate, resolution: Mapping[int, int | None]) -> bool:
    key = f"ring-holds:{certificate.pk}"
    if cache.get(key):
        return True
    if not taken_of_ring(certificate, resolution).leaves_what_holds(certificate):
        return False
    cache.add(key, True, HELD_FOR_S)
    return True


# A photo of which nobody but the labeler has said anything, and nobody could know what the machine says.
_INSIDE = f"""
SELECT c.id FROM frontier_certificate c
JOIN learning_score s ON s.model_version_id = c.model_version_id AND s.predicted_id = c.label_class_id
     AND s.confidence >= c.assisted AND s.confidence < c.threshold
JOIN catalog_item i ON i.id = s.item_id
WHERE c.project_id = %(project)s AND s.item_id = %(item)s AND c.assisted IS NOT NULL AND c.guideline_id = %(guideline)s
  AND NOT EXISTS (SELECT 1 FROM frontier_certificateend x WHERE x.certificate_id = c.id)
  AND i.audit_drawn_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM frontier_drawnphoto d WHERE d.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM truth_gold g WHERE g.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM truth_groundtruth t WHERE t.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM truth_annotation a WHERE a.item_id = i.id AND a.id <> %(answer)s
                  AND a.labeler_id <> %(labeler)s)
  AND NOT {SHOWN} AND NOT {DECIDED}
FOR SHARE OF c
"""  # noqa: S608


@transaction.atomic(savepoint=False)  # with each answer
def assist(*, project: Project, annotation: Annotation) -> AssistedLabel | None:
    """Take an answer that waits for another as enough, or draw it for the audit, where a certificate allows that.

    Called under the photo's lock. None where the photo goes on waiting for its other answers.
    """
    if not queue.was_offered_once(annotation) or annotation.draw != Draw.RANK:
        return None
    if annotation.kind != AnswerKind.CLASS:
        return None
    certificate = _certificate_for(project, annotation)
    policy = policy_of(project)
    if certificate is None or policy.mode != Mode.ON:
        return None
    resolution = class_resolution(project)
    if resolution.get(annotation.label_class_id or 0) != resolution.get(certificate.label_class_id):
        return None
    if not _holds(certificate, resolution) or waiting_audits(project, certificate) >= MOST_WAITING:
        return None
    label = _append(certificate, annotation, policy)
    if label.audit:
        priority.ask_first(project=project, item_ids=[annotation.item_id], place=OPEN_AUDITS)
    else:
        truth.settle_by_answer(project=project, annotation=annotation)
    return label


def _certificate_for(project: Project, annotation: Annotation) -> Certificate | None:
    given = {
        "project": project.pk,
        "item": annotation.item_id,
        "guideline": meanings(project)[annotation.guideline_id],
        "answer": annotation.pk,
        "labeler": annotation.labeler_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSIDE, given)
        found = cursor.fetchone()
    if found is None:
        return None
    # A suspension that came first has ended it; one that comes now waits until it can see what this answer settles.
    return Certificate.objects.in_force().select_related("run__plan").filter(pk=found[0]).first()


def _append(certificate: Certificate, annotation: Annotation, policy: FrontierPolicy) -> AssistedLabel:
    made = AssistedLabel.objects.filter(certificate=certificate).values("pk")[:FIRST_DECISIONS]
    share = first_share(policy) if len(made) < FIRST_DECISIONS else policy.audit_share
    return AssistedLabel.objects.create(
        project_id=certificate.project_id,
        item_id=annotation.item_id,
        certificate=certificate,
        annotation=annotation,
        label_class_id=certificate.label_class_id,
        audit=_lot.random() < share,
        audit_share=share,
    )


def waiting_audits(project: Project, certificate: Certificate) -> int:
    """Audited labels of the class that wait for their second person. Too many, and one answer settles no more of it."""
    return (
        AssistedLabel.objects.filter(
            project=project,
            label_class=certificate.label_class_id,
            audit=True,
            annotation__retraction__isnull=True,
        )
        .exclude(certificate__in=Certificate.objects.filter(ends__kind=EndKind.SUSPENDED))
        .exclude(is_settled())
        .count()
    )
