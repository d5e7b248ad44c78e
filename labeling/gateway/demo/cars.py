"""The cars of the demo's wash: which comes when, what its driver's photos show, and what people think of them.

What is made up here is what a photo shows; how it is drawn, :mod:`labeling.gateway.demo.scenes` says.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from labeling.catalog.models import Item
from labeling.gateway.demo import scenes
from labeling.inspections.services import Sent
from labeling.truth.services import Answer

SEED = 1907
#: Of scenes with foam, so many have so little of it that people differ; of answers, so many are slips of the hand.
THIN, SLIPS = 0.06, 0.01
#: Of photos, so many are blurred, and taken again.
SHAKEN = 0.05
#: Foam where there is little, as a share of what there is else.
LITTLE = 0.06


#: Number of the first car that came before the protocol.
EARLIER = 10_001


@dataclass(frozen=True)
class Wash:
    """One car at the wash. ``shows``: shot -> what its scene shows, of the shots that the driver took; of these ``thin``:
    with little foam, and ``shaken``: blurred at first, and taken again."""

    number: int
    car: scenes.Car
    shows: Mapping[str, str]
    thin: frozenset[str]
    shaken: frozenset[str]

    @property
    def external_id(self) -> str:
        return f"wash-{self.number:04d}"

    def photo(self, shot: str, *, shaken: bool = False) -> bytes:
        """Drawn anew each time, and the same."""
        dice = random.Random(f"{SEED} {self.number} {shot}")
        much = LITTLE if shot in self.thin else 1.0
        return scenes.draw(self.car, shot, self.shows[shot], dice, much=much, shaken=shaken)

    def photos(self) -> list[Sent]:
        """As the driver took them."""
        return [
            Sent(shot, self.photo(shot, shaken=shaken), None)
            for shot in self.shows
            for shaken in (True, False)
            if not shaken or shot in self.shaken
        ]


@cache
def wash(number: int) -> Wash:
    """Which car comes as the ``number``-th, and what its driver shows."""
    dice = random.Random(f"{SEED} {number}")
    plate = dice.randint(1, 60)
    car = scenes.any_car(random.Random(f"{SEED} car {plate}"), plate)
    story = dice.random()
    if story < 0.4:  # foam, on one side at least
        shots = ["front", "rear", *dice.sample(["left", "right"], dice.randint(1, 2))]
        foamed = set(dice.sample(shots, dice.randint(1, len(shots))))
        shows = {shot: scenes.FOAM if shot in foamed else scenes.PLAIN for shot in shots}
    elif story < 0.75:  # the plate before, then from the seat
        shows = {"front": dice.choice((scenes.PLAIN, scenes.TUNNEL)), "interior": scenes.TUNNEL}
        shows |= dict.fromkeys(dice.sample(["rear", "left", "right"], dice.randint(0, 2)), scenes.TUNNEL)
    else:  # a clean car, which proves nothing
        shots = ["front", *dice.sample(["rear", "left", "right", "interior"], dice.randint(1, 3))]
        shows = dict.fromkeys(shots, scenes.PLAIN)
    thin = frozenset(shot for shot, what in shows.items() if what == scenes.FOAM and dice.random() < THIN)
    return Wash(number, car, shows, thin, frozenset(shot for shot in shows if dice.random() < SHAKEN))


class OfScenes:
    """What people think of a scene: what was drawn, but for little foam and slips of the hand."""

    def is_hard(self, item: Item) -> bool:
        washed, shot = _drawn(item)
        return shot in washed.thin

    def says(self, item: Item, dice: random.Random) -> Answer:
        washed, shot = _drawn(item)
        if shot in washed.thin:
            doubt = dice.random()
            if doubt < 0.2:
                return Answer("hold", reason="between", comment="Is it foam enough?")
            return Answer("class", scenes.FOAM if doubt < 0.6 else scenes.PLAIN)
        said = washed.shows[shot]
        if dice.random() < SLIPS:
            said = dice.choice([scenes.FOAM, scenes.TUNNEL, scenes.PLAIN])
        return Answer("class", said)

    def rules(self, item: Item, dice: random.Random) -> str:
        washed, shot = _drawn(item)
        return scenes.PLAIN if shot in washed.thin else washed.shows[shot]


def _drawn(item: Item) -> tuple[Wash, str]:
    """The car that the photo is of, and its shot, by the name that the photo has."""
    external_id, shot = item.name.removesuffix(".jpg").split(" ")
    return wash(int(external_id.removeprefix("wash-"))), shot
