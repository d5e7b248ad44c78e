"""Lend a grid of one predicted class, and take it back unanswered."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from labeling.catalog.models import ClassDefinition, Project
from labeling.catalog.selectors import active_definitions, class_resolution
from labeling.people.models import User
from labeling.queue.claiming import beginning
from labeling.queue.lending import give_back
from labeling.queue.models import Ranking, Slot, Sweep, SweepPhoto
from labeling.queue.sweeps import claiming as sweep_claiming
from labeling.queue.sweeps.claiming import Planted
from labeling.queue.sweeps.locking import lock_slots, one_at_a_time
from labeling.queue.sweeps.selectors import Grid, grid_of, sweepable_bands, why_not

#: Photos in a grid, planted ones included: what one sees at a glance on a laptop without scrolling.
GRID = 24
#: With fewer photos a grid saves no time.
LEAST = 6
#: Each grid has one planted photo, and half of them a second: who has found one cannot stop looking.
SECOND_PLANTED = 0.5
_dice = random.SystemRandom()


@dataclass(frozen=True)
class Over:
    """Photos that somebody chose by a search (``said``, as an address), page by page, and the class that they look like."""

    said: str
    class_key: str
    pages: Iterable[Sequence[int]]


@transaction.atomic
def claim_sweep(
    *,
    project: Project,
    labeler: User,
    prefer: str = "",
    over: Over | None = None,
    dice: random.Random | None = None,
) -> Grid | None:
    """Let ``labeler`` hold a grid; the one that they hold already, if any. ``prefer``: key of the class to go on with.

    ``over``: of these photos, whatever the model says of them; a grid of others is given back. ``None`` when there is none
    for this person now: :func:`labeling.queue.sweeps.selectors.sweep_state` says why.
    """
    one_at_a_time(labeler)
    paused = beginning.begin(project, labeler)
    possible = not paused and not why_not(project)
    definitions = active_definitions(project)
    held = Sweep.objects.filter(project=project, labeler=labeler, closed_at__isnull=True).first()
    if held is not None:
        grid = grid_of(held)
        fits = held.over == (over.said if over else "") and (
            over is None or held.label_class.key == over.class_key
        )
        if (
            possible
            and fits
            and grid.slots
            and any(d.label_class_id == held.label_class_id for d in definitions)
        ):
            _renew(project, grid.slots)
            return grid
        close(held)
    ranking = beginning.order_of(project, labeler).ranking if possible else None
    if ranking is None:
        return None
    # The class that the labeler has in mind goes on as long as it lasts.
    in_turn = sorted(definitions, key=lambda each: (each.label_class.key != prefer, each.position))
    making = _Making(project, ranking, labeler, class_resolution(project), dice or _dice)
    if over is not None:
        chosen = next((each for each in definitions if each.label_class.key == over.class_key), None)
        return making.grid_over(over, chosen) if chosen else None
    for band in sweepable_bands(project):
        for definition in in_turn:
            found = making.grid_of_band(band, definition)
            if found is not None:
                return found
    return None


@dataclass(frozen=True)
class _Making:
    """A new grid: photos of one class, gold of another planted among them, on loan to its labeler."""

    project: Project
    ranking: Ranking
    labeler: User
    resolution: dict[int, int | None]
    dice: random.Random

    def grid_of_band(self, band: int, definition: ClassDefinition) -> Grid | None:
        planted = self._plant(definition)
        if not planted:
            return None
        items = sweep_claiming.pick(
            self.project,
            self.ranking,
            self.labeler,
            band=band,
            ladder_id=definition.label_class_id,
            most=GRID - len(planted),
        )
        return self._lend(definition, items, planted, band=band)

    def grid_over(self, over: Over, definition: ClassDefinition) -> Grid | None:
        planted = self._plant(definition)
        if not planted:
            return None
        picked: list[tuple[int, int]] = []
        for page in over.pages:
            picked += sweep_claiming.pick_among(
                self.ranking,
                self.labeler,
                page,
                innermost=self.ranking.bands - 2,
                most=GRID - len(planted) - len(picked),
            )
            if len(picked) + len(planted) >= GRID:
                break
        band = min((band for _item, band in picked), default=0)
        return self._lend(definition, [item for item, _band in picked], planted, band=band, over=over.said)

    def _plant(self, definition: ClassDefinition) -> list[Planted]:
        return sweep_claiming.plant(
            self.project,
            self.labeler,
            among=sweep_claiming.opposites(self.resolution, definition),
            most=2 if self.dice.random() < SECOND_PLANTED else 1,
            dice=self.dice,
        )

    def _lend(
        self,
        definition: ClassDefinition,
        items: list[int],
        planted: list[Planted],
        *,
        band: int,
        over: str = "",
    ) -> Grid | None:
        if len(items) < LEAST:
            return None
        # why_not refuses an order that no model made
        assert self.ranking.model_version_id is not None
        sweep = Sweep.objects.create(
            project=self.project,
            labeler=self.labeler,
            label_class_id=definition.label_class_id,
            model_version_id=self.ranking.model_version_id,
            band=band,
            over=over,
        )
        lent = sweep_claiming.lend(
            self.project,
            self.ranking,
            self.labeler,
            item_ids=items,
            sweep=sweep.pk,
            shown_as=definition.label_class.key,
        )
        known = {each.item_id: each.known_id for each in planted}
        shown = [*sorted(lent), *known]
        self.dice.shuffle(shown)
        now = timezone.now()
        SweepPhoto.objects.bulk_create(
            SweepPhoto(
                id=uuid4(),
                sweep=sweep,
                place=place,
                item_id=item_id,
                labeler=self.labeler,
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


def forget_search(*, project: Project, over: str) -> None:
    """The search names a photo that is erased. The grids that were made over it stay."""
    Sweep.objects.filter(project=project, over=over).update(over="")


@transaction.atomic
def release_sweep(*, project: Project, labeler: User, sweep_id: UUID) -> None:
    """Give a grid back unanswered: its photos are free for others again. Repeating it changes nothing."""
    one_at_a_time(labeler)
    sweep = Sweep.objects.filter(
        pk=sweep_id, project=project, labeler=labeler, closed_at__isnull=True
    ).first()
    if sweep is not None:
        close(sweep)


def close(sweep: Sweep) -> None:
    """Give back what is still on loan of the grid."""
    return_to_queue(lock_slots(sweep).values())
    sweep.closed_at = timezone.now()
    sweep.save(update_fields=["closed_at"])


def return_to_queue(slots: Iterable[Slot]) -> None:
    """These photos are free for others again, as if they had never been on loan."""
    for slot in slots:
        give_back(slot)
        slot.delete()
