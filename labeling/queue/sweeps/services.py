"""Lend a grid of one predicted class, take it in, take it back. Each service is one transaction.

A grid in which a planted gold photo was not marked is void: nothing of it is an answer, its photos go back to the
queue, and the miss counts among the labeler's gold answers. A photo that was marked without naming an answer gets
none: people are asked for it first, one at a time (docs/decisions/0015-a-sweep-is-not-blind.md).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4, uuid5

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling import locks
from labeling.catalog.models import ClassDefinition, Item, Project
from labeling.catalog.selectors import active_definitions, class_resolution
from labeling.locks import Lock
from labeling.people.models import User
from labeling.queue import claiming, priority
from labeling.queue.answering import plausible
from labeling.queue.entries import share_ranking
from labeling.queue.lending import give_back
from labeling.queue.models import Ranking, Slot, Sweep, SweepHandIn, SweepPhoto, SweepReturn
from labeling.queue.sweeps import claiming as sweep_claiming
from labeling.queue.sweeps.selectors import Grid, grid_of, sweepable_bands, why_not
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth.models import Annotation, AnswerKind, Draw

#: Photos in a grid, planted ones included: what one sees at a glance on a laptop without scrolling.
GRID = 24
#: With fewer photos a grid saves no time.
LEAST = 6
#: Each grid has one planted photo, and half of them a second: who has found one cannot stop looking.
SECOND_PLANTED = 0.5
#: Kinds of :attr:`SweepHandIn.said` that are no answer.
KEPT, APART, GONE = "kept", "apart", "gone"
_dice = random.SystemRandom()


@dataclass(frozen=True)
class Mark:
    """What a labeler said of a photo that they marked. ``kind`` "apart" gives no answer: only that it is not the class."""

    kind: str = APART
    class_key: str = ""
    reason: str = ""


@dataclass(frozen=True)
class HandedIn:
    """``created`` is false when the same hand-in had been delivered before; ``missed``: planted photos not marked."""

    hand_in: SweepHandIn
    created: bool
    undo_until: datetime | None
    counts: Mapping[str, int]
    missed: Sequence[SweepPhoto] = field(default_factory=list)


def _one_at_a_time(project: Project, labeler: User) -> None:
    """Two tabs of one person take turns."""
    locks.hold(Lock.SWEEP, labeler.pk)


# -- lending ---------------------------------------------------------------------------------------------------


@transaction.atomic
def claim_sweep(
    *, project: Project, labeler: User, prefer: str = "", dice: random.Random | None = None
) -> Grid | None:
    """Let ``labeler`` hold a grid; the one that they hold already, if any. ``prefer``: key of the class to go on with.

    ``None`` when there is none for this person now: :func:`labeling.queue.sweeps.selectors.sweep_state` says why.
    """
    _one_at_a_time(project, labeler)
    paused = claiming.begin(project, labeler)
    possible = not paused and not why_not(project)
    definitions = active_definitions(project)
    held = Sweep.objects.filter(project=project, labeler=labeler, closed_at__isnull=True).first()
    if held is not None:
        grid = grid_of(held)
        if possible and grid.slots and any(d.label_class_id == held.label_class_id for d in definitions):
            _renew(project, grid.slots)
            return grid
        _close(held)
    ranking = claiming.order_of(project, labeler).ranking if possible else None
    if ranking is None:
        return None
    # The class that the labeler has in mind goes on as long as it lasts.
    in_turn = sorted(definitions, key=lambda each: (each.label_class.key != prefer, each.position))
    resolution = class_resolution(project)
    for band in sweepable_bands(project):
        for definition in in_turn:
            found = _new_grid(project, ranking, labeler, band, definition, resolution, dice or _dice)
            if found is not None:
                return found
    return None


def _new_grid(
    project: Project,
    ranking: Ranking,
    labeler: User,
    band: int,
    definition: ClassDefinition,
    resolution: dict[int, int | None],
    dice: random.Random,
) -> Grid | None:
    planted = sweep_claiming.plant(
        project,
        labeler,
        among=sweep_claiming.opposites(resolution, definition),
        most=2 if dice.random() < SECOND_PLANTED else 1,
        dice=dice,
    )
    if not planted:
        return None
    assert ranking.model_version_id is not None  # why_not refuses an order that no model made
    ladder = definition.label_class_id
    items = sweep_claiming.pick(
        project, ranking, labeler, band=band, ladder_id=ladder, most=GRID - len(planted)
    )
    if len(items) < LEAST:
        return None
    sweep = Sweep.objects.create(
        project=project,
        labeler=labeler,
        label_class_id=ladder,
        model_version_id=ranking.model_version_id,
        band=band,
    )
    lent = sweep_claiming.lend(
        project, ranking, labeler, item_ids=items, sweep=sweep.pk, shown_as=definition.label_class.key
    )
    known = {each.item_id: each.known_id for each in planted}
    shown = [*sorted(lent), *known]
    dice.shuffle(shown)
    now = timezone.now()
    SweepPhoto.objects.bulk_create(
        SweepPhoto(
            id=uuid4(),
            sweep=sweep,
            place=place,
            item_id=item_id,
            labeler=labeler,
            known_id=known.get(item_id),
            shown_at=now,
        )
        for place, item_id in enumerate(shown)
    )
    return grid_of(sweep)


def _renew(project: Project, slots: Sequence[Slot]) -> None:
    """Who still asks is still there."""
    until = timezone.now() + timedelta(seconds=project.lease_seconds)
    Slot.objects.filter(pk__in=[slot.pk for slot in slots]).update(expires_at=until)
    for slot in slots:
        slot.expires_at = until


@transaction.atomic
def release_sweep(*, project: Project, labeler: User, sweep_id: UUID) -> None:
    """Give a grid back unanswered: its photos are free for others again. Repeating it changes nothing."""
    _one_at_a_time(project, labeler)
    sweep = Sweep.objects.filter(
        pk=sweep_id, project=project, labeler=labeler, closed_at__isnull=True
    ).first()
    if sweep is not None:
        _close(sweep)


def _close(sweep: Sweep) -> None:
    for slot in _lock_slots(sweep).values():
        give_back(slot)
        slot.delete()
    sweep.closed_at = timezone.now()
    sweep.save(update_fields=["closed_at"])


def _lock_slots(sweep: Sweep) -> dict[int, Slot]:
    """The photos of the grid that are still on loan to its labeler, by item id, in rising order."""
    slots = (
        Slot.objects.select_for_update(no_key=True, of=("self",))
        .select_related("project", "item")
        .filter(
            project=sweep.project_id,
            holder=sweep.labeler_id,
            draw=Draw.SWEEP,
            annotation__isnull=True,
            skipped_at__isnull=True,
            item__in=sweep.photos.values("item"),
        )
        .order_by("item_id")
    )
    return {slot.item_id: slot for slot in slots}


def _lock_photos(item_ids: Sequence[int]) -> None:
    """All at once and in rising order, before anything else: two grids that share photos cannot lock each other."""
    list(Item.objects.select_for_update(no_key=True).only("pk").filter(pk__in=item_ids).order_by("pk"))


# -- handing in ------------------------------------------------------------------------------------------------


@transaction.atomic
def hand_in(
    *,
    project: Project,
    labeler: User,
    sweep_id: UUID,
    key: UUID,
    marks: Mapping[UUID, Mark],
    shown_at: datetime | None = None,
    view_ms: int = 0,
    guideline: int | None = None,
) -> HandedIn:
    """Take a grid in: photos that are not marked are answered with its class, marked ones as ``marks`` says.

    ``guideline``: number of the version that the page showed; without it, the one in force when the photos were lent.

    ``marks`` is by :attr:`SweepPhoto.id`; ``view_ms`` is for the whole grid. The same ``key`` again returns what was stored
    and changes nothing. Raises :class:`Refused` ``not_found`` (404), ``sweep_closed``, ``key_reused`` or ``undone`` (409),
    ``invalid`` or ``too_fast`` (422), and what :func:`labeling.truth.services.record_answer` raises.
    """
    shown_at = plausible(shown_at)
    _one_at_a_time(project, labeler)
    sweep = (
        Sweep.objects.filter(pk=sweep_id, project=project, labeler=labeler)
        .select_related("label_class")
        .first()
    )
    if sweep is None:
        raise Refused("not_found", _("There is no such grid of yours."), status=404)
    photos = list(sweep.photos.select_related("known", "item__image"))
    _check_marks(sweep, photos, marks)
    stored = _stored(sweep, photos, labeler, key, marks)
    if stored is not None:
        return stored
    if sweep.closed_at is not None:
        raise Refused(
            "sweep_closed",
            _(
                "This grid was closed before, and its photos went back to the queue, so this is not needed. Nothing else is "
                "affected: go on with the next grid."
            ),
        )
    each_ms = view_ms // len(photos)
    if each_ms < project.min_view_ms:
        raise Refused.invalid(
            None,
            _("This project asks for at least %(ms)d ms with each photo. Look once more, then hand in again.")
            % {"ms": project.min_view_ms},
            code="too_fast",
        )
    slots = _lock_slots(sweep)
    _lock_photos(list(slots))
    missed = [photo for photo in photos if photo.known_id is not None and photo.pk not in marks]
    _record_checks(sweep, photos, marks)
    said = {
        str(photo.item_id): _said(marks.get(photo.pk), gone=not photo.known_id and photo.item_id not in slots)
        for photo in photos
    }
    by_item = {photo.item_id: photo for photo in photos}
    if missed:
        for slot in slots.values():
            give_back(slot)
            slot.delete()
    else:
        apart = []
        for item_id, slot in slots.items():
            mark = marks.get(by_item[item_id].pk)
            if mark is not None and mark.kind == APART:
                apart.append(item_id)
            else:
                _answer(sweep, slot, mark, key, shown_at, each_ms, guideline)
        _set_apart(sweep, [slots[item_id] for item_id in apart])
    sweep.closed_at = timezone.now()
    sweep.save(update_fields=["closed_at"])
    handed = SweepHandIn.objects.create(
        sweep=sweep,
        labeler=labeler,
        key=key,
        said=said,
        counts=not missed,
        shown_at=shown_at,
        view_ms=view_ms,
    )
    return _told(handed, photos, created=True)


def _check_marks(sweep: Sweep, photos: Sequence[SweepPhoto], marks: Mapping[UUID, Mark]) -> None:
    unknown = set(marks) - {photo.pk for photo in photos}
    if unknown:
        raise Refused.invalid(
            "marks", _("Some marked photos are not in this grid."), short=_("unknown photo")
        )
    for mark in marks.values():
        if mark.kind not in {APART, *AnswerKind.values}:
            raise Refused.invalid(
                "kind", _("A mark is one of: apart, class, hold, unusable."), short=_("unknown")
            )
        if mark.class_key and mark.kind != AnswerKind.CLASS:
            raise Refused.invalid(
                "class",
                _("Only a mark of the kind “class” names a class."),
                short=_("only with the kind “class”"),
            )
        if mark.reason and mark.kind not in {AnswerKind.HOLD, AnswerKind.UNUSABLE}:
            raise Refused.invalid(
                "reason",
                _("Only a mark of the kind hold or unusable takes a reason."),
                short=_("only with hold or unusable"),
            )
        if mark.kind == AnswerKind.CLASS and mark.class_key == sweep.label_class.key:
            raise Refused.invalid(
                "class", _("A photo that is of this grid's class is not marked."), short=_("the grid's own")
            )


def _said(mark: Mark | None, *, gone: bool) -> dict[str, str]:
    if gone:
        return {"kind": GONE}
    if mark is None:
        return {"kind": KEPT}
    extra = {"class": mark.class_key, "reason": mark.reason}
    return {"kind": mark.kind} | {name: value for name, value in extra.items() if value}


def _stored(
    sweep: Sweep, photos: Sequence[SweepPhoto], labeler: User, key: UUID, marks: Mapping[UUID, Mark]
) -> HandedIn | None:
    found = SweepHandIn.objects.filter(labeler=labeler, key=key).select_related("returned").first()
    if found is None:
        return None
    if hasattr(found, "returned"):
        raise Refused(
            "undone", _("You took this grid back, so it does not count. Hand it in with a fresh UUID.")
        )
    same = found.sweep_id == sweep.pk and all(
        found.said[str(photo.item_id)] in ({"kind": GONE}, _said(marks.get(photo.pk), gone=False))
        for photo in photos
    )
    if not same:
        raise Refused(
            "key_reused", _("This key belongs to another hand-in of yours, which stands. Send a fresh UUID.")
        )
    found.sweep = sweep
    return _told(found, photos, created=False)


def _told(handed: SweepHandIn, photos: Sequence[SweepPhoto], *, created: bool) -> HandedIn:
    """Counts that tell nothing of planted photos in a grid that counts: there they are marked like any other."""
    kinds = [each["kind"] for each in handed.said.values()]
    numbers = {
        "kept": kinds.count(KEPT),
        "marked": len(kinds) - kinds.count(KEPT) - kinds.count(GONE),
        "gone": kinds.count(GONE),
    }
    missed = [
        photo
        for photo in photos
        if photo.known_id is not None and handed.said[str(photo.item_id)]["kind"] == KEPT
    ]
    until = handed.created_at + timedelta(seconds=handed.sweep.project.undo_seconds)
    return HandedIn(handed, created, until if handed.counts else None, numbers, missed)


def _record_checks(sweep: Sweep, photos: Sequence[SweepPhoto], marks: Mapping[UUID, Mark]) -> None:
    named = {each.label_class.key: each.label_class_id for each in active_definitions(sweep.project)}
    resolution = class_resolution(sweep.project)
    checked = []
    for photo in photos:
        if photo.known_id is None:
            continue
        mark = marks.get(photo.pk)
        given = named.get(mark.class_key) if mark and mark.kind == AnswerKind.CLASS else None
        known = resolution.get(photo.known_id) or photo.known_id
        checked.append(truth.Checked(photo.item_id, known, mark is not None, given))
    truth.record_checks(
        project=sweep.project,
        labeler=sweep.labeler,
        sweep=sweep.pk,
        shown_as_id=sweep.label_class_id,
        checked=checked,
    )


def _answer(
    sweep: Sweep,
    slot: Slot,
    mark: Mark | None,
    key: UUID,
    shown_at: datetime | None,
    view_ms: int,
    guideline: int | None,
) -> None:
    mark = mark or Mark(AnswerKind.CLASS, sweep.label_class.key)
    annotation = truth.record_answer(
        project=sweep.project,
        labeler=sweep.labeler,
        key=_answer_key(key, slot.item_id),
        answer=truth.Answer(kind=mark.kind, class_key=mark.class_key, reason=mark.reason),
        viewing=truth.Viewing(
            item_id=slot.item_id,
            round=slot.round,
            draw=Draw.SWEEP,
            context=slot.context,
            lent_at=slot.leased_at,
            shown_at=shown_at,
            view_ms=view_ms,
            guideline=guideline,
        ),
    )
    slot.annotation = annotation
    slot.save(update_fields=["annotation"])


def _answer_key(key: UUID, item_id: int) -> UUID:
    return uuid5(key, str(item_id))


def _set_apart(sweep: Sweep, slots: Sequence[Slot]) -> None:
    """Back to the queue, before all others, for people who have not seen the prediction.

    Where the project has too few of those, the labeler may get the photo again; their answer then counts as not blind.
    """
    if not slots:
        return
    project = sweep.project
    others = project.memberships.filter(user__is_active=True).exclude(user=sweep.labeler).count()
    for slot in slots:
        give_back(slot)
        if others < project.answers_per_image:
            slot.delete()
        else:
            slot.number = None
            slot.skipped_at = timezone.now()
            slot.save(update_fields=["number", "skipped_at"])
    item_ids = [slot.item_id for slot in slots]
    sweep.photos.filter(item__in=item_ids).update(apart=True)
    priority.ask_first(project=project, item_ids=item_ids)


# -- taking back -----------------------------------------------------------------------------------------------


@transaction.atomic
def take_back(*, project: Project, labeler: User, sweep_id: UUID, key: UUID) -> Grid:
    """Undo a hand-in: its answers are retracted, and the grid is on loan to the same person again, as it was.

    A grid that they have begun meanwhile is given back. Photos that others took meanwhile are left out. Repeating it changes
    nothing. Raises :class:`Refused` ``not_found`` (404), ``void``, ``undo_too_late`` or ``already_ruled`` (409).
    """
    _one_at_a_time(project, labeler)
    handed = (
        SweepHandIn.objects.filter(sweep=sweep_id, sweep__project=project, labeler=labeler, key=key)
        .select_related("sweep__label_class", "sweep__labeler", "returned")
        .first()
    )
    if handed is None:
        raise Refused("not_found", _("There is no grid of yours with this key."), status=404)
    sweep = handed.sweep
    sweep.project = project
    if hasattr(handed, "returned"):
        return grid_of(sweep)
    if not handed.counts:
        raise Refused("void", _("This grid does not count, so there is nothing to take back."))
    if timezone.now() > handed.created_at + timedelta(seconds=project.undo_seconds):
        raise Refused(
            "undo_too_late",
            _("A grid can be taken back for %(seconds)d seconds. Ask a reviewer to look at a photo instead.")
            % {"seconds": project.undo_seconds},
        )
    for other in Sweep.objects.filter(project=project, labeler=labeler, closed_at__isnull=True):
        _close(other)
    answered = {int(item): each for item, each in handed.said.items() if each["kind"] not in {APART, GONE}}
    keys = [_answer_key(key, item_id) for item_id in answered]
    given = list(
        Annotation.objects.filter(labeler=labeler, key__in=keys, retraction__isnull=True).order_by("item_id")
    )
    _lock_photos([annotation.item_id for annotation in given])
    for annotation in given:
        truth.retract_answer(project=project, labeler=labeler, key=annotation.key)
    now = timezone.now()
    Slot.objects.filter(annotation__in=given, holder=labeler).update(
        annotation=None, leased_at=now, expires_at=now + timedelta(seconds=project.lease_seconds)
    )
    _fetch_apart(project, sweep, labeler)
    SweepReturn.objects.create(hand_in=handed)
    sweep.closed_at = None
    sweep.save(update_fields=["closed_at"])
    return grid_of(sweep)


def _fetch_apart(project: Project, sweep: Sweep, labeler: User) -> None:
    apart = list(sweep.photos.filter(apart=True).order_by("item_id").values_list("item_id", flat=True))
    ranking = share_ranking(project)
    if not apart or ranking is None:
        return
    Slot.objects.filter(item__in=apart, holder=labeler, skipped_at__isnull=False, draw=Draw.SWEEP).delete()
    sweep.photos.filter(apart=True).update(apart=False)
    sweep_claiming.lend(
        project, ranking, labeler, item_ids=apart, sweep=sweep.pk, shown_as=sweep.label_class.key
    )
