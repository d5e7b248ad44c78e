"""Lend photos to labelers, take their answers, and move the queue inward. Each service is one transaction."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.people.models import User
from labeling.queue import claiming, pace
from labeling.queue.models import ARRIVALS, BandOpening, Entry, Ranking, Slot
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth.current import pause_of
from labeling.truth.models import Annotation

MAX_LEASES = 32
_dice = random.SystemRandom()


@dataclass(frozen=True)
class Submission:
    """``created`` is false when the same answer had been delivered before."""

    annotation: Annotation
    created: bool
    undo_until: datetime


# -- lending ---------------------------------------------------------------------------------------------------


@transaction.atomic
def claim(
    *, project: Project, labeler: User, count: int = 1, dice: random.Random | None = None
) -> list[Slot]:
    """Let ``labeler`` hold ``count`` photos; return all that they hold, oldest first.

    Asking again changes nothing but the leases' ends: a claim whose answer got lost can simply be repeated.
    Fewer photos (or none) come back when there is nothing more for this person now.
    """
    if pause_of(project, labeler):
        return []
    held = _held(project, labeler)
    wanted = min(count, MAX_LEASES) - len(held)
    if wanted > 0:
        _share_ranking(project)
        ranking = Ranking.objects.filter(project=project, current=True).first()
        leases = []
        for _n in range(wanted):
            lease = _next(project, ranking, labeler, dice or _dice)
            if lease is None:
                break
            leases.append(lease)
        if leases:
            held += list(
                Slot.objects.filter(pk__in=leases).select_related("item__image").order_by("leased_at")
            )
    _renew(project, held)
    return held


def _next(project: Project, ranking: Ranking | None, labeler: User, dice: random.Random) -> UUID | None:
    lease = claiming.take_over_expired(project, labeler)
    if lease is not None:
        return lease
    if dice.random() < project.gold_rate:
        lease = claiming.take_gold(project, labeler)
    if lease is not None or ranking is None:
        return lease
    lease = claiming.take_begun(project, ranking, labeler)
    # The lot falls once a photo, when its first answer is asked for, so that the audit is that share of photos.
    if lease is None and dice.random() < project.audit_rate:
        lease = claiming.take_audit(project, ranking, labeler)
    if lease is not None:
        return lease
    current = min(pace.current_band(project), ranking.bands - 1)
    lease = claiming.take_fresh(project, ranking, labeler, current)
    while lease is None and current + 1 < ranking.bands and pace.agreement_allows(project):
        current = pace.open_band(project, current + 1, BandOpening.Cause.EXHAUSTED)
        lease = claiming.take_fresh(project, ranking, labeler, current)
    for band in [*range(current - 1, -1, -1), ARRIVALS, *range(current + 1, ranking.bands)]:
        if lease is not None:
            break
        lease = claiming.take_fresh(project, ranking, labeler, band)
    return lease


def _held(project: Project, labeler: User) -> list[Slot]:
    return list(
        Slot.objects.filter(project=project, holder=labeler, annotation__isnull=True, skipped_at__isnull=True)
        .select_related("item__image")
        .order_by("leased_at")[:MAX_LEASES]
    )


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
    """Pass a photo on to others; it does not come back to this labeler. Repeating it changes nothing."""
    slot = _own_slot(project, labeler, lease)
    if slot is None or slot.skipped_at is not None:
        return
    if slot.annotation_id is not None:
        raise Refused("already_answered", _("You have answered this photo. Undo the answer first."))
    _give_back(slot)
    slot.number = None
    slot.skipped_at = timezone.now()
    slot.save(update_fields=["number", "skipped_at"])


@transaction.atomic
def release(*, project: Project, labeler: User, lease: UUID) -> None:
    """Give a photo back unanswered; it may come again. Repeating it changes nothing."""
    slot = _own_slot(project, labeler, lease)
    if slot is None or slot.annotation_id is not None or slot.skipped_at is not None:
        return
    _give_back(slot)
    slot.delete()


def _own_slot(project: Project, labeler: User, lease: UUID) -> Slot | None:
    return (
        Slot.objects.select_for_update(no_key=True).filter(pk=lease, project=project, holder=labeler).first()
    )


def _give_back(slot: Slot) -> None:
    """The wanted answer that this slot used up is free again."""
    if slot.number is None:
        return
    _share_ranking(slot.project)
    # Locked before the slots are read: somebody may be taking this photo at this moment, and must be counted.
    list(Entry.objects.select_for_update().filter(item_id=slot.item_id, round=slot.round).order_by("pk"))
    remaining = (
        Slot.objects.filter(item_id=slot.item_id, round=slot.round, number__isnull=False)
        .exclude(pk=slot.pk)
        .order_by("number")
        .first()
    )
    Entry.objects.filter(item_id=slot.item_id, round=slot.round).update(
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
) -> Submission:
    """Take an answer to a photo on loan. The same ``key`` again returns the stored answer and changes nothing.

    A lease that ran out still counts while nobody else has the photo.
    Raises :class:`Refused` ``lease_expired``, ``already_answered`` or ``key_reused`` (409), and what
    :func:`labeling.truth.services.record_answer` raises.
    """
    stored = _stored(project, labeler, key, answer)
    if stored is not None:
        return stored
    slot = _own_slot(project, labeler, lease)
    if slot is None or slot.skipped_at is not None:
        stored = _stored(project, labeler, key, answer)  # a twin of this request may have won the race
        if stored is not None:
            return stored
        raise Refused(
            "lease_expired",
            _(
                "Your time with this photo ran out and it went to somebody else, so this answer is not needed. "
                "Nothing else is affected: go on with the next photo."
            ),
        )
    if slot.annotation_id is not None:
        stored = _stored(project, labeler, key, answer)
        if stored is not None:
            return stored
        raise Refused("already_answered", _("You have answered this photo already. Undo it to change it."))
    try:
        with transaction.atomic():
            annotation = truth.record_answer(
                project=project,
                item_id=slot.item_id,
                round=slot.round,
                labeler=labeler,
                key=key,
                answer=answer,
                draw=slot.draw,
                context=slot.context,
                shown_at=shown_at,
                view_ms=view_ms,
            )
    except IntegrityError:  # the constraints have the last word
        stored = _stored(project, labeler, key, answer)
        if stored is not None:
            return stored
        raise Refused(
            "already_answered", _("You have answered this photo already. Undo it to change it.")
        ) from None
    slot.annotation = annotation
    slot.save(update_fields=["annotation"])
    return Submission(annotation, True, truth.undo_until(project, annotation))


def _stored(project: Project, labeler: User, key: UUID, answer: truth.Answer) -> Submission | None:
    annotation = Annotation.objects.filter(labeler=labeler, key=key).select_related("label_class").first()
    if annotation is None:
        return None
    if annotation.project_id != project.pk:
        raise Refused("invalid", _("This key was used in another project. Use a fresh UUID."), status=422)
    said = annotation.label_class.key if annotation.label_class else ""
    if (annotation.kind, said) != (answer.kind, answer.class_key if answer.kind == "class" else ""):
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
    """Move the queue one band inward by an admin's word, which is kept.

    Raises :class:`Refused` ``invalid`` (422) without a reason, ``at_boundary`` (409) at the innermost band.
    """
    if not reason.strip():
        raise Refused(
            "invalid",
            _("Say why this band should open before it has settled."),
            status=422,
            fields={"reason": _("missing")},
        )
    band = pace.current_band(project) + 1
    if band >= project.bands:
        raise Refused("at_boundary", _("The boundary band is open already; there is no band further in."))
    pace.open_band(project, band, BandOpening.Cause.ADMIN, by=by, reason=reason)
    return band


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
def append_arrivals(*, project: Project, item_ids: list[int]) -> None:
    """New photos wait behind the ranked ones, in random order, and can be labeled at once."""
    _share_ranking(project)
    ranking = Ranking.objects.filter(project=project, current=True).first()
    if ranking is None:
        try:
            with transaction.atomic():
                ranking = Ranking.objects.create(
                    project=project, number=0, strategy="arrival", bands=1, current=True
                )
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
            )
            for item_id in item_ids
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def remove_from_queue(*, project: Project, item_id: int) -> None:
    """A settled or disputed photo needs no more answers; the pace may move on."""
    _share_ranking(project)
    Entry.objects.filter(item_id=item_id).delete()
    pace.move_inward(project)


@transaction.atomic
def put_back(*, project: Project, item_id: int, round: int) -> None:
    """A photo needs answers again: its entry returns with the slots that are taken in this round."""
    _share_ranking(project)
    ranking = Ranking.objects.filter(project=project, current=True).first()
    if ranking is None:
        return
    # As in _give_back: whoever is taking the photo at this moment must be counted.
    list(Entry.objects.select_for_update().filter(item_id=item_id).order_by("pk"))
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
            "draw": known.draw if known else "rank",
            "round": round,
            "taken": len(taken),
            "free": max(project.answers_per_image - len(taken), 0),
            "first_holder_id": taken[0].holder_id if taken else None,
        },
    )


def _share_ranking(project: Project) -> None:
    """Held until the caller commits, so that a finished ranking takes over between two changes of entries."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext('hilltop.ranking'), %s)", [project.pk])
