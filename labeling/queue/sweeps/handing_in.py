"""Take in a grid: its photos are answered, or it is void.

A grid in which a planted gold photo was not marked is void: nothing of it is an answer, its photos go back to the
queue, and the miss counts among the labeler's gold answers. A photo that was marked without naming an answer gets
none: people are asked for it first, one at a time (docs/decisions/0015-a-sweep-is-not-blind.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes, class_resolution
from labeling.people.models import User
from labeling.queue import priority
from labeling.queue.answering import plausible
from labeling.queue.entries import share_ranking
from labeling.queue.lending import give_back
from labeling.queue.models import Slot, Sweep, SweepHandIn, SweepPhoto
from labeling.queue.sweeps.lending import return_to_queue
from labeling.queue.sweeps.locking import lock_photos, lock_slots, one_at_a_time
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth.models import AnswerKind, Draw

#: Kinds of :attr:`SweepHandIn.said` that are no answer.
KEPT, APART, GONE = "kept", "apart", "gone"


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
    one_at_a_time(labeler)
    sweep = _own_sweep(project, labeler, sweep_id)
    photos = list(sweep.photos.select_related("known", "item__image"))
    _check_marks(sweep, photos, marks)
    stored = _stored(sweep, photos, labeler, key, marks)
    if stored is not None:
        return stored
    _refuse_closed(sweep)
    each_ms = view_ms // len(photos)
    _refuse_too_fast(project, each_ms)
    share_ranking(project)  # as with every answer: what it changes in the order is in one statement
    slots = lock_slots(sweep)
    lock_photos(list(slots))
    _record_checks(sweep, photos, marks)
    said = {
        str(photo.item_id): _said(marks.get(photo.pk), gone=not photo.known_id and photo.item_id not in slots)
        for photo in photos
    }
    void = any(photo.known_id is not None and photo.pk not in marks for photo in photos)
    if void:
        return_to_queue(slots.values())
    else:
        _take_answers(sweep, photos, slots, marks, _Seen(key, shown_at, each_ms, guideline))
    sweep.closed_at = timezone.now()
    sweep.save(update_fields=["closed_at"])
    handed = SweepHandIn.objects.create(
        sweep=sweep,
        labeler=labeler,
        key=key,
        said=said,
        counts=not void,
        shown_at=shown_at,
        view_ms=view_ms,
    )
    return _told(handed, photos, created=True)


@dataclass(frozen=True)
class _Seen:
    """What all answers of one hand-in share: its key, and how the grid was seen. ``view_ms`` is of each photo."""

    key: UUID
    shown_at: datetime | None
    view_ms: int
    guideline: int | None


def _own_sweep(project: Project, labeler: User, sweep_id: UUID) -> Sweep:
    sweep = (
        Sweep.objects.filter(pk=sweep_id, project=project, labeler=labeler)
        .select_related("label_class")
        .first()
    )
    if sweep is None:
        raise Refused("not_found", _("There is no such grid of yours."), status=404)
    return sweep


def _refuse_closed(sweep: Sweep) -> None:
    if sweep.closed_at is not None:
        raise Refused(
            "sweep_closed",
            _(
                "This grid was closed before, and its photos went back to the queue, so this is not needed. Nothing else is "
                "affected: go on with the next grid."
            ),
        )


def _refuse_too_fast(project: Project, each_ms: int) -> None:
    if each_ms < project.min_view_ms:
        raise Refused.invalid(
            None,
            _(
                "This project asks for at least %(ms)d\u00a0ms with each photo. Look once more, then hand in again."
            )
            % {"ms": project.min_view_ms},
            code="too_fast",
        )


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
    named = {each.label_class.key: each.label_class_id for each in active_classes(sweep.project)}
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


def _take_answers(
    sweep: Sweep,
    photos: Sequence[SweepPhoto],
    slots: Mapping[int, Slot],
    marks: Mapping[UUID, Mark],
    seen: _Seen,
) -> None:
    by_item = {photo.item_id: photo for photo in photos}
    apart = []
    for item_id, slot in slots.items():
        mark = marks.get(by_item[item_id].pk)
        if mark is not None and mark.kind == APART:
            apart.append(slot)
        else:
            _answer(sweep, slot, mark, seen)
    _set_apart(sweep, apart)


def _answer(sweep: Sweep, slot: Slot, mark: Mark | None, seen: _Seen) -> None:
    mark = mark or Mark(AnswerKind.CLASS, sweep.label_class.key)
    annotation = truth.record_answer(
        project=sweep.project,
        labeler=sweep.labeler,
        key=answer_key(seen.key, slot.item_id),
        answer=truth.Answer(kind=mark.kind, class_key=mark.class_key, reason=mark.reason),
        viewing=truth.Viewing(
            item_id=slot.item_id,
            round=slot.round,
            draw=Draw.SWEEP,
            context=slot.context,
            lent_at=slot.leased_at,
            shown_at=seen.shown_at,
            view_ms=seen.view_ms,
            guideline=seen.guideline,
        ),
    )
    slot.annotation = annotation
    slot.save(update_fields=["annotation"])


def answer_key(key: UUID, item_id: int) -> UUID:
    """The key of a photo's answer, of that of its grid's hand-in."""
    return uuid5(key, str(item_id))


def _set_apart(sweep: Sweep, slots: Sequence[Slot]) -> None:
    """Back to the queue, before all others, for people who have not seen the prediction.

    Where the project has too few of those, the labeler may get the photo again; their answer then counts as not blind.
    """
    if not slots:
        return
    project = sweep.project
    others = project.memberships.who_label().exclude(user=sweep.labeler).count()
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
