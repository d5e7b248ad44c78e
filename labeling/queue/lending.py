"""Lend photos to labelers, and take them back unanswered."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from labeling.catalog.models import Guideline, Project
from labeling.people.models import User
from labeling.queue import machine_first, pace
from labeling.queue.claiming import beginning, checks, expired, taking
from labeling.queue.entries import share_ranking
from labeling.queue.leases import leases_of
from labeling.queue.models import BandOpening, Entry, Ranking, Slot
from labeling.queue.places import ARRIVALS
from labeling.refusals import Refused
from labeling.truth.models import Draw

#: What a person may hold in all; to go offline with, five minutes of work at two seconds a photo.
AT_ONCE = 32
MAX_LEASES = 150
#: So many whoever else works here; more to go offline with only while they are few of those that nobody has begun.
AT_HAND = 20
SHARE = 4
#: For so long a page may ask to go on without a network.
MOST_OFFLINE = timedelta(minutes=5)

_dice = random.SystemRandom()


class Claiming(TypedDict):
    """What :func:`claim_under` is asked for, beside who asks and where."""

    count: int
    offline: timedelta
    back: Sequence[UUID]


@dataclass(frozen=True)
class Claimed:
    """All that a person holds, oldest first, and the number of the guideline in force: what a screen shows may be older.

    ``order`` changes with the order of the queue, and says nothing else; it is told to who holds for a time offline.
    """

    slots: list[Slot]
    guideline: int
    order: str = ""


def claim(
    *, project: Project, labeler: User, count: int = 1, dice: random.Random | None = None
) -> list[Slot]:
    """The photos of :func:`claim_under`."""
    return claim_under(project=project, labeler=labeler, count=count, dice=dice).slots


@transaction.atomic
def claim_under(
    *,
    project: Project,
    labeler: User,
    count: int = 1,
    offline: timedelta = timedelta(0),
    back: Sequence[UUID] = (),
    dice: random.Random | None = None,
) -> Claimed:
    """Let ``labeler`` hold ``count`` photos; return all that they hold, and under which guideline they are asked.

    ``offline``: for how long the photos shall be theirs without asking again. ``back``: leases to give back first.
    Asking again changes nothing but the leases' ends: a claim whose answer got lost can simply be repeated.
    Fewer photos (or none) come back when there is nothing more for this person now.
    """
    start = beginning.start(project, labeler)
    if start.paused:
        return Claimed([], start.guideline.number)
    for lease in back:
        release(project=project, labeler=labeler, lease=lease)
    held = leases_of(project, labeler, MAX_LEASES)
    wanted = min(count, MAX_LEASES if offline else AT_ONCE) - len(held)
    order = beginning.order_of(project, labeler) if wanted > 0 or offline else None
    if order is not None and wanted > 0:
        for _n in range(_fairly(order, len(held), wanted) if offline else wanted):
            slot = _next(project, order, labeler, start.guideline, dice or _dice)
            if slot is None:
                break
            held.append(slot)
    renew(project, held, offline)
    return Claimed(held, start.guideline.number, _name_of(order) if order is not None and offline else "")


def _fairly(order: beginning.Order, held: int, wanted: int) -> int:
    """How many of the ``wanted`` leave enough for the others."""
    at_hand = max(0, min(wanted, AT_HAND - held))
    if at_hand == wanted or order.ranking is None:
        return wanted
    fresh = taking.count_fresh(order.ranking, (held + wanted) * SHARE)
    return max(at_hand, min(wanted, fresh // SHARE - held))


def _name_of(order: beginning.Order) -> str:
    """No band and no ranking can be read from it: who labels is blind to both."""
    place = f"{order.ranking.pk if order.ranking else 0} {order.band}"
    return salted_hmac("labeling.queue.order", place).hexdigest()[:12]


def _next(
    project: Project, order: beginning.Order, labeler: User, guideline: Guideline, dice: random.Random
) -> Slot | None:
    slot = expired.take_over_expired(project, order.ranking, labeler) if order.expired else None
    if slot is None and dice.random() < project.gold_rate:
        slot = checks.take_gold(project, labeler, guideline)
    return slot or next_in_order(project, order, labeler, dice)


def next_in_order(
    project: Project, order: beginning.Order, labeler: User, dice: random.Random, *, opens: bool = True
) -> Slot | None:
    """The next photo of the project's own order: one that is begun or asked for first, by lot one drawn at random, else a
    fresh one, from the current band outward from it. ``opens``: an exhausted band opens the next one."""
    ranking = order.ranking
    if ranking is None:
        return None
    current = min(order.band, ranking.bands - 1)
    # The lot falls once a photo, when its first answer is asked for, so that the audit is that share of photos.
    if dice.random() < project.audit_rate:
        slot = taking.take_asked(project, ranking, labeler, current)
        slot = slot or taking.take_begun(project, ranking, labeler)
        slot = slot or taking.take_audit(project, ranking, labeler)
        slot = slot or taking.take_fresh(project, ranking, labeler, current)
    else:
        slot = taking.take_begun_or_fresh(project, ranking, labeler, current)
    innermost = min(ranking.bands, project.bands) - 1
    while opens and slot is None and current < innermost and pace.gates_allow(project):
        # The order says where the queue stood when the claim began: a photo before may have opened a band already.
        now = pace.current_band(project)
        current = now if now > current else pace.go_on(project, BandOpening.Cause.EXHAUSTED)
        slot = taking.take_fresh(project, ranking, labeler, current)
    outward = [*range(current - 1, -1, -1), ARRIVALS, *range(current + 1, ranking.bands)]
    slot = slot or _first_fresh(project, ranking, labeler, outward)
    if slot is None and machine_first.give_back_overdue(ranking):
        slot = _first_fresh(project, ranking, labeler, [current, *outward])
    return slot


def _first_fresh(project: Project, ranking: Ranking, labeler: User, bands: Sequence[int]) -> Slot | None:
    """Of the first of these bands that has one."""
    return next(
        (slot for band in bands if (slot := taking.take_fresh(project, ranking, labeler, band))), None
    )


def renew(project: Project, held: Sequence[Slot], offline: timedelta = timedelta(0)) -> None:
    """Who still asks is still there: extend leases that are past half of their time, or too short to go offline with."""
    now = timezone.now()
    half = timedelta(seconds=project.lease_seconds / 2)
    stale = [slot for slot in held if slot.expires_at < now + max(half, offline)]
    if stale:
        until = now + timedelta(seconds=project.lease_seconds) + offline
        Slot.objects.filter(pk__in=[slot.pk for slot in stale]).update(expires_at=until)
        for slot in stale:
            slot.expires_at = until


@transaction.atomic
def skip(*, project: Project, labeler: User, lease: UUID) -> None:
    """Pass a photo on to others; it does not come back to this labeler, unless they take that back at once
    (:func:`unskip`). Repeating it changes nothing."""
    slot = own_slot(project, labeler, lease)
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
    slot = own_slot(project, labeler, lease)
    if slot is None:
        raise Refused("not_found", _("There is no such photo of yours."), status=404)
    if slot.annotation_id is not None:
        raise answered_already()
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
    slot = own_slot(project, labeler, lease)
    if slot is None or slot.annotation_id is not None or slot.skipped_at is not None:
        return
    give_back(slot)
    slot.delete()


def own_slot(project: Project, labeler: User, lease: UUID) -> Slot | None:
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


def answered_already() -> Refused:
    return Refused("already_answered", _("You have answered this photo already. Undo it to change it."))
