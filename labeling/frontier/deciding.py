"""The machine decides inside the frontier, and people overrule it. Each service is one transaction, and appends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes, class_resolution
from labeling.catalog.services import log_activity
from labeling.database.planner import without_nested_loops
from labeling.frontier import assisting, auditing, events, standing
from labeling.frontier.arrivals import LIKE_THE_POOL, arrivals_now
from labeling.frontier.certificates import in_force
from labeling.frontier.cohort import FREE, current_ranking, rest_of
from labeling.frontier.models import (
    AutomaticDecision,
    Certificate,
    DecisionOverruled,
    DrawnPhoto,
    FrontierPolicy,
    Mode,
)
from labeling.frontier.policy import policy_of
from labeling.frontier.waiting import why_waiting
from labeling.people.models import User
from labeling.queue import priority
from labeling.queue.places import OPEN_AUDITS
from labeling.refusals import Refused
from labeling.text.notes import kept_whole
from labeling.truth.current import is_settled
from labeling.truth.models import GroundTruth

#: Seconds for which a single photo is decided by what was found of the rest before.
HELD_FOR_S = 60

# Of the certificate's cohort, or of the arrivals that are not told apart from the pool it was drawn from (``arrivals``).
_DECIDE = f"""
WITH inside AS MATERIALIZED (
    SELECT i.random_key, s.item_id, s.predicted_id, s.confidence, s.probabilities, c.*, random() AS lot,
           row_number() OVER (PARTITION BY c.certificate_id ORDER BY i.random_key, i.id) AS number
    FROM learning_score s
    JOIN unnest(%(certificates)s::bigint[], %(classes)s::bigint[], %(thresholds)s::float8[], %(closely)s::int[],
                %(rooms)s::int[], %(plans)s::bigint[])
         AS c (certificate_id, class_id, threshold, closely, room, plan_id)
         ON c.class_id = s.predicted_id AND s.confidence >= c.threshold
    JOIN catalog_item i ON i.id = s.item_id
    WHERE s.model_version_id = %(model)s AND i.project_id = %(project)s AND {FREE}
      AND (%(items)s::bigint[] IS NULL OR s.item_id = ANY(%(items)s::bigint[]))
      AND ((c.plan_id, i.id) IN (SELECT plan_id, unnest(item_ids) FROM frontier_plancohort
                                 WHERE plan_id = ANY(%(plans)s))
           OR {LIKE_THE_POOL})
      AND NOT EXISTS (SELECT 1 FROM frontier_automaticdecision a
                      WHERE a.item_id = i.id AND a.mode = %(mode)s AND a.model_version_id = s.model_version_id)
), drawn AS (
    SELECT *, CASE WHEN number <= closely THEN %(first)s ELSE %(later)s END AS share FROM inside
), told AS (
    SELECT *, count(*) FILTER (WHERE lot < share) OVER (
        PARTITION BY certificate_id ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS drawn_before
    FROM drawn
)
INSERT INTO frontier_automaticdecision
    (project_id, item_id, certificate_id, model_version_id, label_class_id, confidence, probabilities, mode, audit,
     audit_share, created_at)
SELECT %(project)s, item_id, certificate_id, %(model)s, predicted_id, confidence, probabilities, %(mode)s, lot < share,
       share, %(now)s
FROM told WHERE drawn_before < room
ORDER BY random_key
ON CONFLICT DO NOTHING
RETURNING item_id, label_class_id, audit
"""


@transaction.atomic
def decide(*, project: Project, item_ids: Sequence[int] | None = None) -> dict[str, int]:
    """Decide the photos (all of the pool, or these) that lie inside the frontier, and withdraw them from the queue.

    Of each certificate's cohort while what was proven still speaks for what people left of it, and of the arrivals that are
    not told apart from the pool. A random share goes to people at once, blind; where too many of a class wait for them, no
    more of it is decided. In shadow nothing leaves the queue. Returns {decided, audited}.
    """
    # With a change of policy or a suspension at the same moment, one waits for the other.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    policy = policy_of(project)
    if item_ids is None:
        assisting.offer_rings(project)
    certificates = _that_hold(project, of_pool=item_ids is None) if policy.mode != Mode.OFF else []
    terms = auditing.terms_of(project, policy, certificates) if certificates else []
    if not terms:
        return {"decided": 0, "audited": 0}
    made = _append_decisions(project, policy, terms, item_ids)
    audited = [item for item, _class, audit in made if audit]
    if policy.mode == Mode.ON:
        priority.withdraw(project=project, item_ids=[item for item, _class, audit in made if not audit])
        priority.ask_first(project=project, item_ids=audited, place=OPEN_AUDITS)
        auditing.pause_where_full(project, terms, Counter(each for _item, each, audit in made if audit))
        if made:
            events.decided.send(
                sender=AutomaticDecision, project=project, item_ids=[item for item, _class, _audit in made]
            )
    told = {"decided": len(made), "audited": len(audited)}
    if told["decided"] and item_ids is None:
        log_activity(
            project=project, kind="decided", mode=policy.mode, photos=told["decided"], audited=told["audited"]
        )
    return told


def _that_hold(project: Project, *, of_pool: bool) -> list[Certificate]:
    """Those in force, without what people have taken so much of since the look that the rest may be worse than stated.

    For photos that are sent one by one the cohort is gone through once in ``HELD_FOR_S``.
    """
    resolution = class_resolution(project)
    found = []
    for each in in_force(project):
        key = f"certificate-holds:{each.pk}"
        if (not of_pool and cache.get(key)) or rest_of(each, resolution).holds(each):
            cache.add(key, True, HELD_FOR_S)
            found.append(each)
    return found


def _append_decisions(
    project: Project,
    policy: FrontierPolicy,
    terms: Sequence[auditing.Terms],
    item_ids: Sequence[int] | None,
) -> list[tuple[int, int, bool]]:
    """The new decisions, each its item id, class id, and whether people audit it."""
    # One photo is looked up; a pool is hashed.
    with without_nested_loops() if item_ids is None else nullcontext(), connection.cursor() as cursor:
        cursor.execute(
            _DECIDE,
            {
                "mode": policy.mode,
                "first": terms[0].first,
                "later": terms[0].later,
                "certificates": [each.certificate.pk for each in terms],
                "classes": [each.certificate.label_class_id for each in terms],
                "thresholds": [each.certificate.threshold for each in terms],
                "closely": [each.closely for each in terms],
                "rooms": [each.room for each in terms],
                "model": terms[0].certificate.model_version_id,
                "project": project.pk,
                "items": None if item_ids is None else list(item_ids),
                "now": timezone.now(),
                "plans": [each.certificate.run.plan_id for each in terms],
                "ranking": current_ranking(project),
                **arrivals_now(terms[0].certificate, project),
            },
        )
        rows: list[tuple[int, int, bool]] = cursor.fetchall()
    return rows


def withdraw_decided(*, project: Project) -> None:
    """After a new ranking: what the machine decided leaves the queue again. What goes to the audit stays in it."""
    standing = (
        AutomaticDecision.objects.standing()
        .filter(project=project)
        .exclude(is_settled())
        .exclude(item__drawn_for_band__isnull=False)
    )
    decided: set[int] = set()
    to_audit: set[int] = set()
    with without_nested_loops():
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
    known = {each.label_class.key: each.label_class for each in active_classes(project)}
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
    if decision.audit:
        auditing.look_at_open_audits(project=project)
    events.taken_back.send(sender=AutomaticDecision, project=project, item_ids=[decision.item_id])
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
    """Who decides a photo. ``by``: machine, people (settled), or queue; ``reason``: a code where it is in the queue.

    ``promise``: which one the label stands under (``standing``), and the precision that is ``stated`` of it.
    """

    by: str
    label_class: str
    reason: str
    decision: AutomaticDecision | None = None
    promise: str = ""
    stated: float | None = None

    @property
    def is_on_its_way(self) -> bool:
        """Whether a worker is about to tell: the photo is taken in, scored, or compared with the pool. People are not."""
        return self.by == "queue" and self.reason in ("new", "not_scored", "not_looked_at")


def decide_one(*, project: Project, item_id: int, strict: bool = False) -> DecidedBy:
    """Decide one photo now, if the machine may; else say who does, and why.

    ``strict``: nothing is decided, and only what people settled strictly is told. In the queue it is then ``with_people``,
    or ``not_strict`` where nobody is asked any more: the machine decided it, or an answer that agreed with it settled it.
    """
    truth = GroundTruth.objects.current().filter(item_id=item_id).select_related("label_class").first()
    if truth is not None:
        promise, stated = standing.of_truth(truth)
        if strict and promise != standing.StandsUnder.STRICT:
            return DecidedBy("queue", "", "not_strict")
        key = truth.label_class.key if truth.label_class else ""
        return DecidedBy("people", key, truth.kind, promise=promise, stated=stated)
    decision = _standing_decision(item_id)
    if strict:
        return DecidedBy("queue", "", "with_people" if decision is None or _asked(decision) else "not_strict")
    why = ""
    if decision is None:
        decision = _decided_now(project, item_id)
    if decision is None and (why := _why_queued(project, item_id)) == "with_people":
        # All that it takes is there: where its score, or a certificate, came between the try and the question why, so it is
        # decided now.
        decision = _decided_now(project, item_id)
    if decision is not None:
        promise, stated = standing.of_decision(decision)
        return DecidedBy("machine", decision.label_class.key, "", decision, promise, stated)
    return DecidedBy("queue", "", why)


def _decided_now(project: Project, item_id: int) -> AutomaticDecision | None:
    decide(project=project, item_ids=[item_id])
    return _standing_decision(item_id)


def _asked(decision: AutomaticDecision) -> bool:
    """Whether people settle the photo all the same."""
    item = decision.item
    return (
        decision.audit
        or item.audit_drawn_at is not None
        or DrawnPhoto.objects.filter(item_id=item.pk).exists()
    )


def _standing_decision(item_id: int) -> AutomaticDecision | None:
    return (
        AutomaticDecision.objects.standing()
        .filter(item_id=item_id)
        .select_related("label_class", "certificate__run__plan", "model_version", "item__image")
        .order_by("-id")
        .first()
    )


def _why_queued(project: Project, item_id: int) -> str:
    return why_waiting(project, [item_id])[item_id]
