"""Certificates end, the machine decides, people overrule it: each service is one transaction, and appends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_definitions, current_guideline
from labeling.catalog.services import log_activity
from labeling.frontier.models import (
    AutomaticDecision,
    BandDraw,
    Certificate,
    CertificateEnd,
    CertificationRun,
    DecisionOverruled,
    DrawnPhoto,
    EndKind,
    EndReason,
    FrontierPolicy,
    Mode,
)
from labeling.frontier.own_words import kept_whole
from labeling.frontier.policy import policy_of
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.learning.selectors import champion
from labeling.people.models import User
from labeling.planning import hashed
from labeling.queue import aside
from labeling.queue.services import request_ranking
from labeling.refusals import Refused
from labeling.truth.current import DISPUTED, SETTLED
from labeling.truth.models import GroundTruth

#: New random labels after which a certification that was asked for once looks again by itself.
LOOK_AFTER = 10
MOST_DRAWN = 5000
#: Of photos between the frontier and the next threshold, against those outside: `docs/log.md`.
INNER_CHANCE = 2.0

# -- certificates ----------------------------------------------------------------------------------------------


@transaction.atomic
def request_certification(*, project: Project, by: User | None = None) -> Job:
    """Walk inward on the random labels there are, in the background.

    Raises :class:`Refused` ``no_model`` (409) before a version is promoted.
    """
    if champion(project) is None:
        raise Refused(
            "no_model", _("A certificate is of a model version. Train one and promote it, then certify.")
        )
    return _enqueue("certify", project, by)


def certify_when_wanted(*, project: Project) -> Job | None:
    """Look again, where somebody has asked for certificates before (or set a policy) and there is a champion."""
    wanted = (
        FrontierPolicy.objects.filter(project=project).exists()
        or CertificationRun.objects.filter(project=project).exists()
    )
    return request_certification(project=project) if wanted and champion(project) is not None else None


@transaction.atomic
def draw_random(*, project: Project, by: User, count: int) -> int:
    """Ask people for so many photos drawn at random from the pool; return how many there were to draw.

    Raises :class:`Refused` ``invalid`` (422) for a count outside 1 to ``MOST_DRAWN``, ``all_drawn`` (409).
    """
    if not 1 <= count <= MOST_DRAWN:
        raise Refused(
            "invalid",
            _("Draw between 1 and %(most)d photos at once.") % {"most": MOST_DRAWN},
            status=422,
            fields={"count": _("out of range")},
        )
    drawn = aside.draw_for_audit(project=project, count=count)
    if not drawn:
        raise Refused("all_drawn", _("Every photo of the pool has been drawn. Take more photos in."))
    log_activity(project=project, kind="random_drawn", actor=by, photos=drawn)
    certify_when_wanted(project=project)
    return drawn


def next_threshold(walk: Mapping[str, Any]) -> int | None:
    """Place of the threshold that a walk, as a look wrote it down, has to pass next; None where none is left."""
    target = walk["start"] if walk["certified"] is None else walk["certified"] + 1
    return target if target is not None and target < len(walk["steps"]) else None


def lacking(walk: Mapping[str, Any]) -> int | None:
    """Labels that the next threshold lacks at the present rate of errors, or without any; None where no number would do."""
    target = next_threshold(walk)
    if target is None:
        return None
    step = walk["steps"][target]
    more: int | None = step["more_at_present_rate"] or step["more_without_errors"]
    return more


# Photos of the class inside the region that were not drawn yet, have no part in the version, and are no gold questions.
_COULD_BE_DRAWN = """
SELECT s.item_id, cardinality(%(thresholds)s::float8[]) - width_bucket(s.confidence, %(rising)s::float8[]) AS band
FROM learning_score s JOIN catalog_item i ON i.id = s.item_id
WHERE s.model_version_id = %(model)s AND i.project_id = %(project)s AND s.predicted_id = %(class)s
  AND s.confidence >= %(floor)s AND i.audit_drawn_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM frontier_drawnphoto d WHERE d.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM truth_gold g WHERE g.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM truth_groundtruth t WHERE t.item_id = i.id AND t.id = ANY(%(snapshot)s::bigint[]))
"""
# The smallest of exponential clocks that run at the photos' chances: the first is each with a probability in proportion
# to its chance, the second so among the others, and so on (Efraimidis & Spirakis 2006, "Weighted random sampling with a
# reservoir").
_DRAW_FOR_BAND = f"""
SELECT item_id, band FROM ({_COULD_BE_DRAWN}) could
ORDER BY -ln(1.0 - random()) / (%(chances)s::float8[])[band + 1] LIMIT %(count)s
"""


@transaction.atomic
def draw_for_band(*, project: Project, by: User, class_key: str, count: int | None = None) -> int:
    """Ask people for the random labels that a class's next threshold lacks; return how many photos were drawn.

    They come from the region up to that threshold, those beyond the frontier with ``INNER_CHANCE`` times the chance of
    the others, and each is written down with its chance. They count for this threshold and those outside of it. ``count``:
    by default what the newest look said it lacks, at the present rate of errors.

    Raises :class:`Refused` ``invalid``, ``unknown_class`` (422), ``no_look``, ``nothing_lacks`` or ``all_drawn`` (409).
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    model = champion(project)
    run = CertificationRun.objects.filter(project=project).select_related("plan").first()
    if model is None or run is None or run.plan.model_version_id != model.pk:
        raise Refused("no_look", _("Certify first: the look says which labels are lacking."))
    label_class = project.label_classes.filter(key=class_key).first()
    walk = run.walks.get(str(label_class.pk)) if label_class is not None else None
    if label_class is None or walk is None:
        raise Refused(
            "unknown_class",
            _("There is no class “%(key)s” that this version predicts.") % {"key": class_key},
            status=422,
            fields={"class": _("unknown")},
        )
    certified, steps, target = walk["certified"], walk["steps"], next_threshold(walk)
    if target is None:
        raise Refused("nothing_lacks", _("No threshold of this class lacks labels."))
    wanted = lacking(walk) if count is None else count
    if wanted is None:
        raise Refused(
            "nothing_lacks",
            _("At the errors seen so far no number of labels would prove this threshold."),
        )
    if not 1 <= wanted <= MOST_DRAWN:
        raise Refused(
            "invalid",
            _("Draw between 1 and %(most)d photos at once.") % {"most": MOST_DRAWN},
            status=422,
            fields={"count": _("out of range")},
        )
    thresholds = [float(each["threshold"]) for each in steps]
    known = len(thresholds) if certified is None else certified + 1
    chances = [
        (1.0 if band < known else INNER_CHANCE) if band <= target else 0.0 for band in range(len(steps))
    ]
    given: dict[str, Any] = {
        "thresholds": thresholds,
        "rising": thresholds[::-1],
        "model": model.pk,
        "project": project.pk,
        "class": label_class.pk,
        "floor": thresholds[target],
        "snapshot": model.snapshot.ground_truth_ids,
        "chances": chances,
        "count": wanted,
    }
    with hashed(), connection.cursor() as cursor:
        cursor.execute(f"SELECT band, count(*) FROM ({_COULD_BE_DRAWN}) could GROUP BY band", given)
        there = dict(cursor.fetchall())
        cursor.execute(_DRAW_FOR_BAND, given)
        rows = cursor.fetchall()
    if not rows:
        raise Refused("all_drawn", _("Every photo of this region has been drawn. Take more photos in."))
    photos = [int(there.get(band, 0)) for band in range(len(steps))]
    mass = [n * chance for n, chance in zip(photos, chances, strict=True)]
    draw = BandDraw.objects.create(
        project=project,
        plan=run.plan,
        label_class=label_class,
        threshold=thresholds[target],
        photos=photos,
        chances=chances,
        drawing=[each / sum(mass) for each in mass],
        by=by,
    )
    DrawnPhoto.objects.bulk_create(
        DrawnPhoto(draw=draw, item_id=item, place=place, chance=chances[band] / sum(mass))
        for place, (item, band) in enumerate(rows)
    )
    aside.ask_soon(project=project, item_ids=[item for item, _band in rows])
    log_activity(project=project, kind="band_drawn", actor=by, photos=len(rows), **{"class": label_class.key})
    certify_when_wanted(project=project)
    return len(rows)


def look_again_when_due(*, project: Project) -> Job | None:
    """After every ``LOOK_AFTER`` random labels since the last look: looks are free, but a walk takes its second."""
    newest = CertificationRun.objects.filter(project=project).first()
    if newest is None:
        return certify_when_wanted(project=project)
    # What was settled while the look was at work may not be in it.
    since = (newest.job.started_at if newest.job else None) or newest.created_at
    fresh = GroundTruth.objects.filter(
        Q(item__audit_drawn_at__isnull=False) | Q(item__drawn_for_band__isnull=False),
        project=project,
        created_at__gt=since,
    )
    return (
        certify_when_wanted(project=project) if len(fresh.values("pk")[:LOOK_AFTER]) >= LOOK_AFTER else None
    )


def request_watching(*, project: Project) -> Job:
    """Hold what people settled against what the machine had decided, in the background; no ordering holds it up."""
    return _enqueue("watch", project, lock=f"watch:{project.pk}")


def _enqueue(kind: str, project: Project, by: User | None = None, *, lock: str = "") -> Job:
    """Requests that come while one waits are one; a running one may have read before what prompted this request.

    Unless they name a lock, in line with the queue's orderings, which write the scores that these read.
    """
    arguments: dict[str, Any] = {
        "kind": kind,
        "project_id": project.pk,
        "requested_by": by,
        "lock": lock or f"project:{project.pk}",
    }
    job = enqueue(dedupe=f"{kind}:{project.pk}", **arguments)
    if job.state == JobState.RUNNING:
        job = enqueue(dedupe=f"{kind}:{project.pk}:next", **arguments)
    return job


@transaction.atomic
def end_certificates(
    *,
    project: Project,
    kind: str,
    reason: str,
    by: User | None = None,
    note: str = "",
    only: Sequence[int] | None = None,
) -> int:
    """End those in force (``only``: of these ids); return how many."""
    found = Certificate.objects.in_force().filter(project=project)
    if only is not None:
        found = found.filter(pk__in=only)
    ended = CertificateEnd.objects.bulk_create(
        [
            CertificateEnd(certificate=each, kind=kind, reason=reason, by=by, note=note[:300])
            for each in found
        ],
        ignore_conflicts=True,
    )
    if ended and kind == EndKind.VOID:
        log_activity(
            project=project, kind="certificates_void", actor=by, reason=reason, certificates=len(ended)
        )
    return len(ended)


@transaction.atomic
def suspend(
    *,
    certificate: Certificate,
    by: User | None,
    reason: str = EndReason.ADMIN,
    note: str = "",
    figures: dict[str, Any] | None = None,
) -> int:
    """The machine decides no more of this class by this version, and what it decided goes to people; return how many.

    All certificates of the class and version are suspended, renewed ones too: their decisions are in the same doubt. The
    audit's doubt is of one guideline, and ends with it; an admin's is of the model.
    Raises :class:`Refused` ``invalid`` (422) where an admin gives no reason or one too long to keep, ``suspended`` (409)
    where the certificate is suspended already; the audit, which may come second, then changes nothing.
    """
    if by is not None and not note.strip():
        raise Refused(
            "invalid",
            _("Say why this certificate does not hold: it is kept."),
            status=422,
            fields={"note": _("missing")},
        )
    words = kept_whole(note, field="note")
    project = certificate.project
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    alike = Certificate.objects.filter(
        project=project,
        model_version=certificate.model_version_id,
        label_class=certificate.label_class_id,
        **({"guideline": certificate.guideline_id} if reason == EndReason.AUDIT else {}),
    )
    doubted = list(
        AutomaticDecision.objects.standing()
        .filter(certificate__in=alike)
        .exclude(item__in=GroundTruth.objects.current().filter(project=project).values("item"))
        .values_list("item_id", flat=True)
    )
    fresh = alike.exclude(ends__kind=EndKind.SUSPENDED)
    ends = [
        CertificateEnd(
            certificate=each,
            kind=EndKind.SUSPENDED,
            reason=reason,
            note=words,
            figures=figures or {},
            by=by,
        )
        for each in fresh
    ]
    if not ends:
        if by is not None:
            raise Refused(
                "suspended",
                _("This certificate is suspended already. Nothing was changed, and your note was not kept."),
            )
        return 0
    CertificateEnd.objects.bulk_create(ends)
    returned = aside.bring_back(project=project, item_ids=doubted)
    log_activity(
        project=project,
        kind="certificate_suspended",
        actor=by,
        **{
            "class": certificate.label_class.key,
            "model": certificate.model_version.number,
            "reason": reason,
            "note": words,
            "photos": len(doubted),
            **(figures or {}),
        },
    )
    if returned:
        request_ranking(project=project, by=by)
    return len(doubted)


# -- decisions -------------------------------------------------------------------------------------------------


def request_deciding(*, project: Project, by: User | None = None) -> Job:
    """Let the machine decide all of the pool that lies inside the frontier, in the background."""
    return _enqueue("decide", project, by)


def in_force(project: Project) -> list[Certificate]:
    """Certificates that allow something now: not ended, of the champion, under the guideline of today."""
    model = champion(project)
    if model is None:
        return []
    return list(
        Certificate.objects.in_force()
        .filter(project=project, model_version=model, guideline=current_guideline(project))
        .select_related("label_class", "model_version", "guideline")
    )


# Left to people: what they settled, dispute, have begun, or are to be asked first or as the random sample; gold; what a
# person took back from the machine, or marked in a sweep as not of the class that the model says.
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
                    AND (e.taken > 0 OR e.round > 1 OR e.position < 0))
  AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id AND p.apart)
  AND NOT EXISTS (SELECT 1 FROM frontier_automaticdecision a
                  JOIN frontier_decisionoverruled o ON o.decision_id = a.id WHERE a.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM frontier_automaticdecision a
                  WHERE a.item_id = i.id AND a.mode = %(mode)s
                    AND (%(mode)s = 'on' OR a.model_version_id = s.model_version_id)
                    AND NOT EXISTS (SELECT 1 FROM frontier_certificateend x
                                    WHERE x.certificate_id = a.certificate_id AND x.kind = 'suspended'))
ORDER BY i.random_key
ON CONFLICT DO NOTHING
RETURNING item_id, audit
"""


@transaction.atomic
def decide(*, project: Project, item_ids: Sequence[int] | None = None) -> dict[str, int]:
    """Decide the photos (all of the pool, or these) that lie inside the frontier, and set them aside in the queue.

    A random share goes to people at once, blind. In shadow nothing leaves the queue. Returns {decided, audited}.
    """
    # With a change of policy or a suspension at the same moment, one waits for the other.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    policy = policy_of(project)
    certificates = in_force(project) if policy.mode != Mode.OFF else []
    if not certificates:
        return {"decided": 0, "audited": 0}
    ranking = project.rankings.filter(current=True).values_list("pk", flat=True).first()
    # One photo is looked up; a pool is hashed.
    with hashed() if item_ids is None else nullcontext(), connection.cursor() as cursor:
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
    audited = [item for item, audit in rows if audit]
    if policy.mode == Mode.ON:
        aside.set_aside(project=project, item_ids=[item for item, audit in rows if not audit])
        aside.ask_soon(project=project, item_ids=audited)
    if rows and item_ids is None:
        log_activity(
            project=project, kind="decided", mode=policy.mode, photos=len(rows), audited=len(audited)
        )
    return {"decided": len(rows), "audited": len(audited)}


def keep_aside(*, project: Project) -> None:
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
    aside.set_aside(project=project, item_ids=sorted(decided - to_audit))


@transaction.atomic
def overrule(*, decision: AutomaticDecision, by: User, reason: str, class_key: str = "") -> DecisionOverruled:
    """Take an automatic decision back; the photo goes to people, who settle it blind and strictly like any other.

    Raises :class:`Refused` ``invalid``, ``unknown_class`` (422), ``already_overruled``, ``only_shadow`` (409).
    """
    decision = AutomaticDecision.objects.select_for_update(of=("self",)).get(pk=decision.pk)
    project = decision.project
    if not reason.strip():
        raise Refused(
            "invalid", _("Say why the decision is wrong."), status=422, fields={"reason": _("missing")}
        )
    if decision.mode != Mode.ON:
        raise Refused("only_shadow", _("This was never decided: in shadow, people still decide the photo."))
    if DecisionOverruled.objects.filter(decision=decision).exists():
        raise Refused("already_overruled", _("This decision was overruled before. Nothing was changed."))
    known = {each.label_class.key: each.label_class for each in active_definitions(project)}
    if class_key and class_key not in known:
        raise Refused(
            "unknown_class",
            _("There is no class “%(key)s” in this project now. Use one of: %(keys)s.")
            % {"key": class_key, "keys": ", ".join(known)},
            status=422,
            fields={"class": _("unknown")},
        )
    overruled = DecisionOverruled.objects.create(
        decision=decision, by=by, reason=kept_whole(reason, field="reason"), label_class=known.get(class_key)
    )
    aside.bring_back(project=project, item_ids=[decision.item_id])
    aside.ask_soon(project=project, item_ids=[decision.item_id])
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
class Verdict:
    """Who decides a photo. ``by``: machine, people (settled), or queue; ``reason``: a code where it is in the queue."""

    by: str
    label_class: str
    reason: str
    decision: AutomaticDecision | None = None


def verdict_on(*, project: Project, item_id: int) -> Verdict:
    """Decide one photo now, if the machine may; else say who does, and why."""
    truth = GroundTruth.objects.current().filter(item_id=item_id).select_related("label_class").first()
    if truth is not None:
        return Verdict("people", truth.label_class.key if truth.label_class else "", truth.kind)
    decision = _standing(item_id)
    if decision is None:
        decide(project=project, item_ids=[item_id])
        decision = _standing(item_id)
    if decision is not None:
        return Verdict("machine", decision.label_class.key, "", decision)
    return Verdict("queue", "", _why_queued(project, item_id))


def _standing(item_id: int) -> AutomaticDecision | None:
    return (
        AutomaticDecision.objects.standing()
        .filter(item_id=item_id)
        .select_related("label_class", "certificate", "model_version", "item__image")
        .order_by("-id")
        .first()
    )


def _why_queued(project: Project, item_id: int) -> str:
    from labeling.learning.models import Score

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
