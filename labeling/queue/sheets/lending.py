"""Lend photos by a question sheet: each in every project of the sheet in which this person may answer it and an answer is
wanted (docs/decisions/0052-a-sheet-is-a-view.md).

A photo *leads* in one project, whose order or lot it comes from; in the others it *goes along*, out of their order. What
goes along is lent, answered and settled as any other photo is, and is a random label of its project only where that project
had drawn it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction

from labeling.catalog.models import Guideline, Image, Project
from labeling.people.models import User
from labeling.queue.claiming import beginning, checks, expired, taking
from labeling.queue.lending import next_in_order, renew
from labeling.queue.models import QuestionSheet, Ranking, Slot
from labeling.queue.sheets.asking import asked
from labeling.queue.sweeps.locking import one_at_a_time
from labeling.truth.models import Draw

#: Photos that a person may hold by a sheet.
AT_ONCE = 8
#: In a slot's ``context``: the id of the sheet that it was lent by; that its answer counts for nothing.
SHEET, COVER = "sheet", "cover"

_dice = random.SystemRandom()


@dataclass(frozen=True)
class SheetPhoto:
    """A photo and what is asked of it: open slots, in the sheet's order."""

    image: Image
    slots: Sequence[Slot]


@dataclass(frozen=True)
class SheetClaimed:
    """All that a person holds by a sheet, oldest first; ``guidelines``: project id -> number of the version in force.

    ``paused``: ids of the projects in which labeling is paused for them, whose questions are not asked.
    """

    photos: Sequence[SheetPhoto]
    guidelines: dict[int, int]
    paused: frozenset[int]


@transaction.atomic
def claim_sheet(
    *, sheet: QuestionSheet, labeler: User, count: int = 1, dice: random.Random | None = None
) -> SheetClaimed:
    """Let ``labeler`` hold ``count`` photos (:data:`AT_ONCE` at most) by this sheet; return all that they hold by it.

    Asking again changes nothing but the leases' ends, so a claim whose answer got lost can simply be repeated.
    """
    one_at_a_time(labeler)
    projects = asked(sheet)
    # In one order for all: whoever shares several orders at a time cannot wait for somebody who waits for them.
    starts = {each.pk: beginning.start(each, labeler) for each in sorted(projects, key=lambda each: each.pk)}
    open_ = [each for each in projects if not starts[each.pk].paused]
    held = held_of(sheet, open_, labeler)
    wanted = min(count, AT_ONCE) - len(held)
    if wanted > 0:
        lender = _Lender(
            sheet, labeler, [_Desk(each, starts[each.pk].guideline) for each in open_], dice or _dice
        )
        while wanted > 0 and lender.lend():
            wanted -= 1
        held = held_of(sheet, open_, labeler)
    for project in open_:
        renew(project, [slot for photo in held for slot in photo.slots if slot.project_id == project.pk])
    return SheetClaimed(
        held,
        {pk: start.guideline.number for pk, start in starts.items()},
        frozenset(pk for pk, start in starts.items() if start.paused),
    )


def held_of(sheet: QuestionSheet, projects: Sequence[Project], labeler: User) -> list[SheetPhoto]:
    """What the person holds by the sheet in these projects, oldest photo first."""
    by_id = {each.pk: each for each in projects}
    place = {pk: n for n, pk in enumerate(by_id)}
    slots = Slot.objects.filter(
        project__in=projects, holder=labeler, annotation__isnull=True, skipped_at__isnull=True
    )
    photos: dict[int, list[Slot]] = {}
    for slot in (
        slots.filter(**{f"context__{SHEET}": sheet.pk}).select_related("item__image").order_by("leased_at")
    ):
        slot.project = by_id[slot.project_id]
        photos.setdefault(slot.item.image_id, []).append(slot)
    return [
        SheetPhoto(each[0].item.image, sorted(each, key=lambda slot: place[slot.project_id]))
        for each in photos.values()
    ]


class _Desk:
    """One project of a claim. What was looked for in vain is not looked for again."""

    def __init__(self, project: Project, guideline: Guideline) -> None:
        self.project = project
        self.guideline = guideline
        self.order: beginning.Order | None = None
        self.begun = self.more = True

    @property
    def ranking(self) -> Ranking | None:
        return self.order.ranking if self.order else None

    @property
    def may_open(self) -> bool:
        """Whether there is a band that is not open."""
        if self.order is None or self.order.ranking is None:
            return False
        return self.order.band < min(self.order.ranking.bands, self.project.bands) - 1


class _Lender:
    def __init__(
        self, sheet: QuestionSheet, labeler: User, desks: Sequence[_Desk], dice: random.Random
    ) -> None:
        self._sheet = sheet
        self._labeler = labeler
        self._desks = desks
        self._dice = dice
        self._opening: _Desk | None = None
        # After all starts, in statements of their own: they see what was swapped in while those waited.
        for desk in desks:
            desk.order = beginning.order_of(desk.project, labeler)

    def lend(self) -> bool:
        """One more photo; says whether there was one.

        By lot another one takes its place: a check, or one that a project draws at random. So a claim that lots fall into
        looks like any other, in how many photos it brings and in what is asked of them.
        """
        before = transaction.savepoint()
        slots = self._next()
        lots = self._lots(slots)
        if not lots:
            transaction.savepoint_commit(before)
            return bool(slots)
        transaction.savepoint_rollback(before)
        return any(lot() for lot in lots) or bool(self._next())

    def _next(self) -> list[Slot]:
        lead = next((slot for slot in self._leads() if slot is not None), None)
        return self._along(lead) if lead is not None else []

    def _lots(self, slots: Sequence[Slot]) -> list[Callable[[], bool]]:
        """What takes the place of this photo. ``slots``: the leading one first, whose own order has cast its lot already."""
        asking = {slot.project_id: slot for slot in slots}
        desks = [desk for desk in self._desks if desk.project.pk in asking]
        lots: list[Callable[[], bool]] = []
        for desk in desks:
            project, slot = desk.project, asking[desk.project.pk]
            if self._dice.random() < project.gold_rate:
                lots.append(partial(self._check, desk, [other for other in desks if other is not desk]))
            # As in the project's own order, the lot falls with a photo's first answer.
            along = slot is not slots[0] and slot.number == 0 and slot.round == 1 and slot.draw == Draw.RANK
            if along and self._dice.random() < project.audit_rate:
                lots.append(partial(self._draw, desk))
        self._dice.shuffle(lots)
        return lots

    def _leads(self) -> Iterator[Slot | None]:
        """What ran out, then what some project asks for first or has begun, so that samples and pairs complete; then the
        orders, the first project's first."""
        for desk in self._desks:
            if desk.order and desk.order.expired:
                yield expired.take_over_expired(desk.project, desk.ranking, self._labeler)
        for desk in self._desks:
            if desk.order and desk.ranking and desk.begun:
                band = min(desk.order.band, desk.ranking.bands - 1)
                slot = taking.take_asked_or_begun(desk.project, desk.ranking, self._labeler, band)
                desk.begun = slot is not None
                yield slot
        for desk in self._desks:
            if desk.order and desk.more:
                opens = self._opens(desk)
                slot = next_in_order(desk.project, desk.order, self._labeler, self._dice, opens=opens)
                desk.more = slot is not None
                yield slot

    def _opens(self, desk: _Desk) -> bool:
        """Whether the project may open a band. One in a claim: two sheets that name the same projects in another order
        would wait for each other."""
        if self._opening is None and desk.may_open:
            self._opening = desk
        return desk is self._opening

    def _along(self, lead: Slot) -> list[Slot]:
        """``lead`` and the same photo wherever else an answer of this person is wanted."""
        slots = [lead]
        for desk in self._desks:
            if desk.ranking is not None and desk.project.pk != lead.project_id:
                slot = taking.take_photo(desk.project, desk.ranking, self._labeler, lead.item.image_id)
                slots += [slot] if slot is not None else []
        self._note(slots)
        return slots

    def _draw(self, desk: _Desk) -> bool:
        """The next photo that the project draws at random leads."""
        drawn = desk.ranking and taking.take_audit(desk.project, desk.ranking, self._labeler)
        return bool(drawn and self._along(drawn))

    def _check(self, desk: _Desk, others: Sequence[_Desk]) -> bool:
        """A gold photo of the project, beside the same questions as the photo whose place it takes."""
        beside = [other.project.pk for other in others]
        gold = checks.take_gold(desk.project, self._labeler, desk.guideline, beside=beside)
        if gold is None:
            return False
        real, covers = [gold], []
        for other in others:
            image = gold.item.image_id
            slot = other.ranking and taking.take_photo(other.project, other.ranking, self._labeler, image)
            if slot:
                real.append(slot)
            elif (cover := checks.take_cover(other.project, self._labeler, image)) is not None:
                covers.append(cover)
        self._note(real)
        self._note(covers, **{COVER: True})
        return True

    def _note(self, slots: Sequence[Slot], **more: bool) -> None:
        """Answers will say by which sheet they were asked."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE queue_slot SET context = context || %s::jsonb WHERE id = ANY(%s)",
                [json.dumps({SHEET: self._sheet.pk, **more}), [slot.pk for slot in slots]],
            )
