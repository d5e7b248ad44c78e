"""The machine decides inside the frontier, and people overrule it. Each service is one transaction, and appends."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_definitions
from labeling.catalog.services import log_activity
from labeling.frontier.blind import DECIDED, SHOWN
from labeling.frontier.certificates import in_force
from labeling.frontier.models import (
    AutomaticDecision,
    Certificate,
    DecisionOverruled,
    FrontierPolicy,
    Mode,
)
from labeling.frontier.policy import policy_of
from labeling.learning.models import Score
from labeling.learning.selectors import champion
from labeling.notes import kept_whole
from labeling.people.models import User
from labeling.planner import without_nested_loops
from labeling.queue import priority
from labeling.queue.places import IS_ASKED_FIRST
from labeling.refusals import Refused
from labeling.truth.current import DISPUTED, SETTLED
from labeling.truth.models import GroundTruth

# Left to people: what they settled, dispute, have begun, or are to be asked first or as the random sample; gold; exemplars;
# what a person or a suspension took back from the machine, or somebody marked in a sweep as not of the model's class.
_DECIDE = f"""
INSERT INTO frontier_automaticdecision
    (project_id, item_id, certificate_id, model_version_id, label_class_id, confidence, probabilities, mode, audit,
     created_at)
SELECT i.project_id, s.item_id, c.certificate_id, s.model_version_id, s.predicted_id, s.confidence, s.probabilities,
       %(mode)s, random() < %(share)s, clock_timestamp()
FROM learning_score s
JOIN unnest(%(certificates)s::bigint[], %(classes)s::bigint[], %(thresholds)s::float8[])
     AS c (certificate_id, class_id, threshold) ON c.class_id = s.predicted_id AND s.confidence >= c.threshold
JOIN catalog_item i ON i.id = s.item_id
WHERE s.model_version_id = %(model)s AND i.project_id = %(project)s AND i.audit_drawn_at IS NULL
  AND (%(items)s::bigint[] IS NULL OR s.item_id = ANY(%(items)s::bigint[]))
  AND NOT {SETTLED}
  AND NOT {DISPUTED}
  AND NOT EXISTS (SELECT 1 FROM truth_gold g WHERE g.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM frontier_drawnphoto d WHERE d.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM queue_entry e
                  WHERE e.ranking_id = %(ranking)s AND e.item_id = i.id
                    AND (e.taken > 0 OR e.round > 1 OR {IS_ASKED_FIRST}))
  AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id AND p.apart)
  AND NOT {SHOWN}
  AND NOT {DECIDED}
  AND NOT EXISTS (SELECT 1 FROM frontier_automaticdecision a
                  WHERE a.item_id = i.id AND a.mode = %(mode)s AND a.model_version_id = s.model_version_id)
ORDER BY i.random_key
ON CONFLICT DO NOTHING
RETURNING item_id, audit
"""


@transaction.atomic
def decide(*, project: Project, item_ids: Sequence[int] | None = None) -> dict[str, int]:
    """Decide the photos (all of the pool, or these) that lie inside the frontier, and withdraw them from the queue.

    A random share goes to people at once, blind. In shadow nothing leaves the queue. Returns {decided, audited}.
    """
    # With a change of policy or a suspension at the same moment, one waits for the other.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    policy = policy_of(project)
    certificates = in_force(project) if policy.mode != Mode.OFF else []
    if not certificates:
        return {"decided": 0, "audited": 0}
    decided, audited = _append_decisions(project, policy, certificates, item_ids)
    if policy.mode == Mode.ON:
        priority.withdraw(project=project, item_ids=decided)
        priority.ask_first(project=project, item_ids=audited)
    told = {"decided": len(decided) + len(audited), "audited": len(audited)}
    if told["decided"] and item_ids is None:
        log_activity(
            project=project, kind="decided", mode=policy.mode, photos=told["decided"], audited=told["audited"]
        )
    return told


def _append_decisions(
    project: Project,
    policy: FrontierPolicy,
    certificates: Sequence[Certificate],
    item_ids: Sequence[int] | None,
) -> tuple[list[int], list[int]]:
    """Item ids of the new decisions: those that are not audited, and those that are."""
    ranking = project.rankings.filter(current=True).values_list("pk", flat=True).first()
    # One photo is looked up; a pool is hashed.
    with without_nested_loops() if item_ids is None else nullcontext(), connection.cursor() as cursor:
        cursor.execute(
            _DECIDE,
            {
                "mode": policy.mode,
                "share": policy.audit_share,
                "certificates": [each.pk for each in certificates],
                "classes": [each.label_class_id for each in certificates],
                "thresholds": [each.threshold for each in certificates],
                "model": certificates[0].model_version_id,
                "project": project.pk,
                "items": None if item_ids is None else list(item_ids),
                "ranking": ranking or 0,
            },
        )
        rows = cursor.fetchall()
    return [item for item, audit in rows if not audit], [item for item, audit in rows if audit]


def withdraw_decided(*, project: Project) -> None:
    """After a new ranking: what the machine decided leaves the queue again. What goes to the audit stays in it."""
    standing = (
        AutomaticDecision.objects.standing()
        .filter(project=project)
        .exclude(item__in=GroundTruth.objects.current().filter(project=project).values("item"))
        .exclude(item__drawn_for_band__isnull=False)
    )
    decided: set[int] = set()
    to_audit: set[int] = set()
    for item_id, audit in standing.values_list("item_id", "audit"):
        (to_audit if audit else decided).add(item_id)
    priority.withdraw(project=project, item_ids=sorted(decided - to_audit))


@transaction.atomic
def overrule(*, decision: AutomaticDecision, by: User, reason: str, class_key: str = "") -> DecisionOverruled:
    """Take an automatic decision back; the photo goes to people, who settle it blind and strictly like any other.

    Raises :class:`Refused` ``invalid``, ``unknown_class`` (422), ``already_overruled``, ``only_shadow`` (409).
    """
    decision = AutomaticDecision.objects.select_for_update(of=("self",)).get(pk=decision.pk)
    project = decision.project
    if not reason.strip():
        raise Refused.invalid("reason", _("Say why the decision is wrong."), short=_("missing"))
    if decision.mode != Mode.ON:
        raise Refused("only_shadow", _("This was never decided: in shadow, people still decide the photo."))
    if DecisionOverruled.objects.filter(decision=decision).exists():
        raise Refused("already_overruled", _("This decision was overruled before. Nothing was changed."))
    known = {each.label_class.key: each.label_class for each in active_definitions(project)}
    if class_key and class_key not in known:
        raise Refused.invalid(
            "class",
            _("There is no class “%(key)s” in this project now. Use one of: %(keys)s.")
            % {"key": class_key, "keys": ", ".join(known)},
            short=_("unknown"),
            code="unknown_class",
        )
    overruled = DecisionOverruled.objects.create(
        decision=decision, by=by, reason=kept_whole(reason, field="reason"), label_class=known.get(class_key)
    )
    priority.restore(project=project, item_ids=[decision.item_id])
    priority.ask_first(project=project, item_ids=[decision.item_id])
    log_activity(
        project=project,
        kind="decision_overruled",
        actor=by,
        decision=decision.pk,
        said=decision.label_class.key,
        reason=overruled.reason,
    )
    return overruled


@dataclass(frozen=True)
class DecidedBy:
    """Who decides a photo. ``by``: machine, people (settled), or queue; ``reason``: a code where it is in the queue."""

    by: str
    label_class: str
    reason: str
    decision: AutomaticDecision | None = None


def decide_one(*, project: Project, item_id: int) -> DecidedBy:
    """Decide one photo now, if the machine may; else say who does, and why."""
    truth = GroundTruth.objects.current().filter(item_id=item_id).select_related("label_class").first()
    if truth is not None:
        return DecidedBy("people", truth.label_class.key if truth.label_class else "", truth.kind)
    decision = _standing_decision(item_id)
    if decision is None:
        decide(project=project, item_ids=[item_id])
        decision = _standing_decision(item_id)
    if decision is not None:
        return DecidedBy("machine", decision.label_class.key, "", decision)
    return DecidedBy("queue", "", _why_queued(project, item_id))


def _standing_decision(item_id: int) -> AutomaticDecision | None:
    return (
        AutomaticDecision.objects.standing()
        .filter(item_id=item_id)
        .select_related("label_class", "certificate", "model_version", "item__image")
        .order_by("-id")
        .first()
    )


def _why_queued(project: Project, item_id: int) -> str:
    mode = policy_of(project).mode
    if mode != Mode.ON:
        return mode
    model = champion(project)
    if model is None:
        return "no_model"
    if DecisionOverruled.objects.filter(decision__item=item_id).exists():
        return "overruled"
    certificates = in_force(project)
    if not certificates:
        return "no_certificate"
    score = Score.objects.filter(model_version=model, item_id=item_id).first()
    if score is None:
        return "not_scored"
    inside = any(
        c.label_class_id == score.predicted_id and score.confidence >= c.threshold for c in certificates
    )
    return "with_people" if inside else "outside"
