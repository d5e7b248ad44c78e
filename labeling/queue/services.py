"""Lend photos to labelers, take their answers, and move the queue inward. Each service is one transaction."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Guideline, Item, Project
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.partitions import Partition
from labeling.people.models import User
from labeling.queue import claiming, pace, placing
from labeling.queue.models import ARRIVALS, BandOpening, Entry, Ranking, Slot
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth.answers import refuse_contradiction
from labeling.truth.models import Annotation, Draw

MAX_LEASES = 32
_dice = random.SystemRandom()


@dataclass(frozen=True)
class Submission:
    """``created`` is false when the same answer had been delivered before."""

    annotation: Annotation
    created: bool
    undo_until: datetime


# -- lending ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claimed:
    """All that a person holds, oldest first, and the number of the guideline in force: what a screen shows may be older."""

    slots: list[Slot]
    guideline: int


def claim(
    *, project: Project, labeler: User, count: int = 1, dice: random.Random | None = None
) -> list[Slot]:
    """The photos of :func:`claim_under`."""
    return claim_under(project=project, labeler=labeler, count=count, dice=dice).slots


@transaction.atomic
def claim_under(
    *, project: Project, labeler: User, count: int = 1, dice: random.Random | None = None
) -> Claimed:
    """Let ``labeler`` hold ``count`` photos; return all that they hold, and under which guideline they are asked.

    Asking again changes nothing but the leases' ends: a claim whose answer got lost can simply be repeated.
    Fewer photos (or none) come back when there is nothing more for this person now.
    """
    start = claiming.start(project, labeler)
    if start.paused:
        return Claimed([], start.guideline.number)
    held = claiming.held(project, labeler, MAX_LEASES)
    wanted = min(count, MAX_LEASES) - len(held)
    if wanted > 0:
        order = claiming.order_of(project, labeler)
        for _n in range(wanted):
            slot = _next(project, order, labeler, start.guideline, dice or _dice)
            if slot is None:
                break
            held.append(slot)
    _renew(project, held)
    return Claimed(held, start.guideline.number)


def _next(
    project: Project, order: claiming.Order, labeler: User, guideline: Guideline, dice: random.Random
) -> Slot | None:
    slot = claiming.take_over_expired(project, order.ranking, labeler) if order.expired else None
    if slot is None and dice.random() < project.gold_rate:
        slot = claiming.take_gold(project, labeler, guideline)
    ranking = order.ranking
    if slot is not None or ranking is None:
        return slot
    current = min(order.band, ranking.bands - 1)
    # The lot falls once a photo, when its first answer is asked for, so that the audit is that share of photos.
    if dice.random() < project.audit_rate:
        slot = claiming.take_begun(project, ranking, labeler)
        slot = slot or claiming.take_audit(project, ranking, labeler)
        slot = slot or claiming.take_fresh(project, ranking, labeler, current)
    else:
        slot = claiming.take_begun_or_fresh(project, ranking, labeler, current)
    innermost = min(ranking.bands, project.bands) - 1
    while slot is None and current < innermost and pace.gates_allow(project):
        current = pace.go_on(project, BandOpening.Cause.EXHAUSTED)
        slot = claiming.take_fresh(project, ranking, labeler, current)
    for band in [*range(current - 1, -1, -1), ARRIVALS, *range(current + 1, ranking.bands)]:
        if slot is not None:
            break
        slot = claiming.take_fresh(project, ranking, labeler, band)
    return slot


def _renew(project: Project, held: list[Slot]) -> None:
    """Who still asks is still there: extend leases that are past half of their time."""
    now = timezone.now()
    half = timedelta(seconds=project.lease_seconds / 2)
    stale = [slot for slot in held if slot.expires_at < now + half]
    if stale:
        until = now + timedelta(seconds=project.lease_seconds)
        Slot.objects.filter(pk__in=[slot.pk for slot in stale]).update(expires_at=until)
        for slot in stale:
            slot.expires_at = until


@transaction.atomic
def skip(*, project: Project, labeler: User, lease: UUID) -> None:
    """Pass a photo on to others; it does not come back to this labeler, unless they take that back at once
    (:func:`unskip`). Repeating it changes nothing."""
    slot = _own_slot(project, labeler, lease)
    if slot is None or slot.skipped_at is not None:
        return
    if slot.annotation_id is not None:
        raise Refused("already_answered", _("You have answered this photo. Undo the answer first."))
    give_back(slot)
    slot.number = None
    slot.skipped_at = timezone.now()
    slot.save(update_fields=["number", "skipped_at"])


@transaction.atomic
def unskip(*, project: Project, labeler: User, lease: UUID) -> Slot:
    """Take a skip back: the photo is on loan to the same person again. Repeating it changes nothing.

    Raises :class:`Refused` ``not_found`` (404), ``already_answered`` or ``undo_too_late`` (409): after the project's
    time for undoing, or when others have taken the photo meanwhile.
    """
    slot = _own_slot(project, labeler, lease)
    if slot is None:
        raise Refused("not_found", _("There is no such photo of yours."), status=404)
    if slot.annotation_id is not None:
        raise _answered_already()
    if slot.skipped_at is None:
        return slot
    now = timezone.now()
    if now > slot.skipped_at + timedelta(seconds=project.undo_seconds):
        raise Refused(
            "undo_too_late",
            _("A skip can be undone for %(seconds)d seconds.") % {"seconds": project.undo_seconds},
        )
    if slot.draw != Draw.GOLD:
        entry = Entry.objects.filter(ranking=share_ranking(project), item_id=slot.item_id, round=slot.round)
        wanted = entry.select_for_update().values_list("free", flat=True).first()
        if not wanted:
            raise Refused("undo_too_late", _("Other people have taken this photo meanwhile."))
        used = set(
            Slot.objects.filter(item_id=slot.item_id, round=slot.round, number__isnull=False).values_list(
                "number", flat=True
            )
        )
        slot.number = next(n for n in range(len(used) + 1) if n not in used)
        entry.update(
            taken=F("taken") + 1,
            free=F("free") - 1,
            first_holder=Coalesce(F("first_holder"), Value(labeler.pk)),
        )
    slot.skipped_at = None
    slot.leased_at = now
    slot.expires_at = now + timedelta(seconds=project.lease_seconds)
    slot.save(update_fields=["number", "skipped_at", "leased_at", "expires_at"])
    return slot


@transaction.atomic
def release(*, project: Project, labeler: User, lease: UUID) -> None:
    """Give a photo back unanswered; it may come again. Repeating it changes nothing."""
    slot = _own_slot(project, labeler, lease)
    if slot is None or slot.annotation_id is not None or slot.skipped_at is not None:
        return
    give_back(slot)
    slot.delete()


def _own_slot(project: Project, labeler: User, lease: UUID) -> Slot | None:
    return (
        Slot.objects.select_for_update(no_key=True).filter(pk=lease, project=project, holder=labeler).first()
    )


def give_back(slot: Slot) -> None:
    """The wanted answer that this slot used up is free again."""
    if slot.number is None:
        return
    ranking = share_ranking(slot.project)
    entry = Entry.objects.filter(ranking=ranking, item_id=slot.item_id, round=slot.round)
    # Locked before the slots are read: somebody may be taking this photo at this moment, and must be counted.
    list(entry.select_for_update())
    remaining = (
        Slot.objects.filter(item_id=slot.item_id, round=slot.round, number__isnull=False)
        .exclude(pk=slot.pk)
        .order_by("number")
        .first()
    )
    entry.update(
        taken=Greatest(F("taken") - 1, Value(0)),
        free=F("free") + 1,
        first_holder=remaining.holder if remaining else None,
    )


# -- answers ---------------------------------------------------------------------------------------------------


@transaction.atomic
def submit(
    *,
    project: Project,
    labeler: User,
    lease: UUID,
    key: UUID,
    answer: truth.Answer,
    shown_at: datetime | None = None,
    view_ms: int = 0,
    guideline: int | None = None,
) -> Submission:
    """Take an answer to a photo on loan. The same ``key`` again returns the stored answer and changes nothing.

    ``guideline``: number of the version that it was given under; without it, the one in force when the photo was lent.
    A lease that ran out still counts while nobody else has the photo.
    Raises :class:`Refused` ``lease_expired``, ``already_answered``, ``key_reused`` or ``undone`` (409), ``invalid`` (422)
    for an answer that contradicts itself, and what
    :func:`labeling.truth.services.record_answer` raises.
    """
    shown_at = plausible(shown_at)
    slot = _slot_to_answer(project, labeler, lease, key)
    if slot is None:
        stored = _stored(project, labeler, key, answer)  # perhaps delivered before, or a twin won the race
        if stored is not None:
            return stored
        raise _no_longer_wanted(project, labeler, lease)
    item_id, round, draw, context, lent_at = slot
    try:
        annotation = truth.record_answer(
            project=project,
            item_id=item_id,
            round=round,
            labeler=labeler,
            key=key,
            answer=answer,
            draw=draw,
            context=context,
            shown_at=shown_at,
            view_ms=view_ms,
            under=guideline,
            lent_at=lent_at,
        )
    except IntegrityError:  # the constraints have the last word
        stored = _stored(project, labeler, key, answer)
        if stored is not None:
            return stored
        raise _answered_already() from None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE queue_slot SET annotation_id = %s WHERE id = %s", [annotation.pk, lease])
    return Submission(annotation, True, truth.undo_until(project, annotation))


def _slot_to_answer(
    project: Project, labeler: User, lease: UUID, key: UUID
) -> tuple[int, int, str, dict[str, Any], datetime] | None:
    """Item, round, draw, context and time of an open lease, locked; ``None`` when there is none, or the key is known."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.item_id, s.round,
                   -- whoever saw it in a grid knows what the model predicts, and is not blind any more
                   CASE WHEN s.draw <> 'gold' AND EXISTS (SELECT 1 FROM queue_sweepphoto p
                       WHERE p.item_id = s.item_id AND p.labeler_id = s.holder_id) THEN 'sweep' ELSE s.draw END,
                   s.context, s.leased_at
            FROM queue_slot s
            WHERE s.id = %s AND s.project_id = %s AND s.holder_id = %s
              AND s.annotation_id IS NULL AND s.skipped_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM truth_annotation a WHERE a.labeler_id = %s AND a.key = %s)
            FOR NO KEY UPDATE OF s
            """,
            [lease, project.pk, labeler.pk, labeler.pk, key],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    item_id, round, draw, context, lent_at = found
    return item_id, round, draw, json.loads(context), lent_at


def _no_longer_wanted(project: Project, labeler: User, lease: UUID) -> Refused:
    slot = _own_slot(project, labeler, lease)
    if slot is not None and slot.skipped_at is None:
        return _answered_already()
    # An expired lease whose photo is settled is closed as a skip is (claiming.take_over_expired), but later.
    if slot is not None and slot.skipped_at is not None and slot.skipped_at < slot.expires_at:
        return Refused(
            "lease_expired",
            _(
                "You skipped this photo, so this answer is not taken. Take the skip back, or go on with the next."
            ),
        )
    # One text for whatever is not theirs: it does not tell whether somebody else holds the photo.
    return Refused(
        "lease_expired",
        _(
            "This photo is not on loan to you, or no longer: its time ran out, or it was given back. So this answer is "
            "not taken. Nothing else is affected: go on with the next photo."
        ),
    )


def _answered_already() -> Refused:
    return Refused("already_answered", _("You have answered this photo already. Undo it to change it."))


def plausible(shown_at: datetime | None) -> datetime | None:
    """A browser's clock may be ahead: then the photo was shown just now. More than a day is no clock's error.

    Raises :class:`Refused` ``invalid`` (422).
    """
    now = timezone.now()
    if shown_at is None or shown_at <= now:
        return shown_at
    if shown_at > now + timedelta(days=1):
        raise Refused(
            "invalid",
            _("The photo cannot have been shown in the future. Set this device's clock, then answer again."),
            status=422,
            fields={"shown_at": _("in the future")},
        )
    return now


def _stored(project: Project, labeler: User, key: UUID, answer: truth.Answer) -> Submission | None:
    annotation = (
        Annotation.objects.filter(labeler=labeler, key=key)
        .select_related("label_class", "retraction", "guideline")
        .first()
    )
    if annotation is None:
        return None
    if annotation.project_id != project.pk:
        raise Refused("invalid", _("This key was used in another project. Use a fresh UUID."), status=422)
    if hasattr(annotation, "retraction"):
        raise Refused(
            "undone",
            _("You took this answer back, so it does not count. Send a new answer with a fresh UUID."),
        )
    refuse_contradiction(answer)
    said = annotation.label_class.key if annotation.label_class else ""
    if (annotation.kind, said, annotation.reason) != (answer.kind, answer.class_key, answer.reason):
        raise Refused(
            "key_reused",
            _(
                "This key belongs to another answer of yours, which stands. Send a new answer with a fresh UUID."
            ),
        )
    return Submission(annotation, False, truth.undo_until(project, annotation))


@transaction.atomic
def undo(*, project: Project, labeler: User, key: UUID) -> Slot:
    """Take an answer back; the photo is on loan to the same person again. Repeating it changes nothing.

    Raises what :func:`labeling.truth.services.retract_answer` raises.
    """
    slot = (
        Slot.objects.select_for_update(no_key=True)
        .filter(project=project, annotation__key=key, annotation__labeler=labeler)
        .first()
    )
    annotation = truth.retract_answer(project=project, labeler=labeler, key=key)
    if slot is None:
        slot = Slot.objects.filter(item_id=annotation.item_id, round=annotation.round, holder=labeler).first()
        if slot is None:
            raise Refused("undo_too_late", _("The answer was undone, and the photo has moved on."))
    else:
        now = timezone.now()
        slot.annotation = None
        slot.leased_at = now
        slot.expires_at = now + timedelta(seconds=project.lease_seconds)
        slot.save(update_fields=["annotation", "leased_at", "expires_at"])
    return slot


# -- the order -------------------------------------------------------------------------------------------------


@transaction.atomic
def open_next_band(*, project: Project, by: User, reason: str) -> int:
    """Move the queue on from its band by an admin's word, which is kept; return the band now current.

    Raises :class:`Refused` ``invalid`` (422) without a reason, ``at_boundary`` (409) at the innermost band.
    """
    _say_why(reason, _("Say why this band should open before it has settled."))
    if pace.current_band(project) + 1 >= project.bands:
        raise Refused("at_boundary", _("The boundary band is open already; there is no band further in."))
    return pace.go_on(project, BandOpening.Cause.ADMIN, by=by, reason=reason.strip()[:300])


@transaction.atomic
def reopen_band(*, project: Project, band: int, by: User, reason: str) -> int:
    """Call the queue back to ``band`` (0 is the outermost) by an admin's word; return how many ground truths it asks.

    It asks for as many as the band lacks, but at least for its own share of the pace; then the queue goes on from where
    it was. Raises :class:`Refused` ``invalid`` (422) without a reason or for no such band, ``not_passed`` (409) for a band
    that the queue has not passed.
    """
    _say_why(reason, _("Say why this band should be open again."))
    if not 0 <= band < project.bands:
        raise Refused("invalid", _("There is no such band."), status=422, fields={"band": _("out of range")})
    at = pace.standing(project)
    if band >= at.band:
        raise Refused(
            "not_passed", _("The queue has not gone on from this band, so it cannot be called back to it.")
        )
    lack = pace.needed_for(project, band + 1) - placing.held(project).outward(band)
    missing = max(lack, pace.number_of(project, band), 1)
    pace.open_band(
        project,
        band,
        BandOpening.Cause.ADMIN,
        by=by,
        reason=reason.strip()[:300],
        at=at,
        figures={"missing": missing, "back_to": at.reached},
    )
    return missing


def _say_why(reason: str, message: str) -> None:
    if not reason.strip():
        raise Refused("invalid", message, status=422, fields={"reason": _("missing")})


@transaction.atomic
def look_at_bands_again(*, project: Project, cause: str) -> None:
    """Another champion's order or another guideline: a band that lost what it held opens again."""
    pace.look_again(project, cause)


@transaction.atomic
def request_ranking(*, project: Project, by: User | None = None) -> Job:
    """Re-score and re-rank the pool in the background. Requests that come while one waits are one."""
    arguments = {
        "kind": "rank",
        "project_id": project.pk,
        "requested_by": by,
        "lock": f"project:{project.pk}",
    }
    job = enqueue(dedupe=f"rank:{project.pk}", **arguments)  # type: ignore[arg-type]
    if job.state == JobState.RUNNING:  # it may have read the pool before what prompted this request
        job = enqueue(dedupe=f"rank:{project.pk}:next", **arguments)  # type: ignore[arg-type]
    return job


@transaction.atomic
def request_rescoring(*, projects: Sequence[Project], by: User | None = None) -> Job:
    """Re-score and re-rank several projects in one job; those on one backbone share one pass over the embeddings."""
    named = sorted(project.pk for project in projects)
    told = hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]
    return enqueue(
        kind="rescore",
        args={"projects": named},
        requested_by=by,
        dedupe=f"rescore:{told}",
        lock="rescore",
    )


@transaction.atomic
def append_arrivals(*, project: Project, item_ids: list[int]) -> None:
    """New photos wait behind the ranked ones, in random order, and can be labeled at once."""
    ranking = share_ranking(project)
    if ranking is None:
        try:
            with transaction.atomic():
                ranking = Ranking.objects.create(
                    project=project, number=0, strategy="arrival", bands=1, current=True
                )
                room = Partition("queue_entry", "ranking_id", ranking.pk)
                room.create()
                room.build_indexes()
                room.attach()
        except IntegrityError:
            ranking = Ranking.objects.get(project=project, current=True)
    keys = dict(Item.objects.filter(pk__in=item_ids).values_list("pk", "random_key"))
    Entry.objects.bulk_create(
        [
            Entry(
                ranking=ranking,
                item_id=item_id,
                band=ARRIVALS,
                position=int(keys[item_id] * 2**31),
                free=project.answers_per_image,
                late=True,
            )
            for item_id in item_ids
        ],
        ignore_conflicts=True,
    )


@transaction.atomic(savepoint=False)
def remove_from_queue(*, project: Project, item_id: int) -> None:
    """A settled or disputed photo needs no more answers; the pace may move on."""
    ranking = share_ranking(project)
    Entry.objects.filter(ranking=ranking, item_id=item_id).delete()
    pace.move_inward(project)


@transaction.atomic
def put_back(*, project: Project, item_id: int, round: int) -> None:
    """A photo needs answers again: its entry returns with the slots that are taken in this round."""
    ranking = share_ranking(project)
    if ranking is None:
        return
    # As in give_back: whoever is taking the photo at this moment must be counted.
    list(Entry.objects.select_for_update().filter(ranking=ranking, item_id=item_id))
    taken = list(Slot.objects.filter(item_id=item_id, round=round, number__isnull=False).order_by("number"))
    known = Slot.objects.filter(item_id=item_id).order_by("-leased_at").first()
    context = known.context if known else {}
    band = context.get("band", ARRIVALS)
    Entry.objects.update_or_create(
        ranking=ranking,
        item_id=item_id,
        defaults={
            "ladder_id": context.get("ladder"),
            "band": band if band == ARRIVALS else min(band, ranking.bands - 1),
            "position": -1 if round > 1 else context.get("position", 0),
            "confidence": context.get("confidence"),
            # As the last loan was; but an answer that is wanted neither checks a person nor is given in a grid.
            "draw": known.draw if known and known.draw not in {Draw.GOLD, Draw.SWEEP} else Draw.RANK,
            "round": round,
            "taken": len(taken),
            "free": max(project.answers_per_image - len(taken), 0),
            "first_holder_id": taken[0].holder_id if taken else None,
            "late": True,
        },
    )


def share_ranking(project: Project) -> Ranking | None:
    """The current ranking, held until the caller commits: a finished one takes over between two changes of entries.

    Two statements, because one sees what was current when it began to wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext('hilltop.ranking'), %s)", [project.pk])
    return Ranking.objects.filter(project=project, current=True).first()
