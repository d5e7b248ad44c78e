"""The demo's third group: a car wash for two weeks, with drawn cars, simulated people, set-back dates and the real services.

A protocol is made from its template, and its project with it. Each day some drivers send the photos of a wash, as a program
would by the API; simulated people answer, and a verdict follows each time what is known of an inspection changes. Nothing is
written here that a service would not write. What is made up is what the photos show
(:mod:`labeling.gateway.demo.scenes`), who answers, and when.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.utils import timezone

from labeling.catalog.models import Item, Project
from labeling.catalog.services import update_settings
from labeling.gateway.demo import scenes
from labeling.gateway.demo.clock import Clock
from labeling.gateway.demo.course import Course
from labeling.gateway.demo.crew import crew, let_in, work_off
from labeling.inspections.models import Inspection, Protocol
from labeling.inspections.protocol_templates.creating import create_from_template
from labeling.inspections.protocol_templates.known import PROTOCOLS
from labeling.inspections.services import Sent, record_inspection
from labeling.inspections.wanting import KIND as LOOKING
from labeling.jobs.models import Job
from labeling.jobs.progress import Progress
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.learning.services import promote, request_training
from labeling.people.models import User
from labeling.truth.services import Answer

SLUG = "car-wash"
TEMPLATE = "car-wash-certification"
SEED = 1907
COURSE = Course("wash", days=14, seed=SEED)
#: Day on which a model is trained, of what people said until then.
TRAINED = 3
SITES = ("North yard", "Airport", "Harbour")
#: Of scenes with foam, so many have so little of it that people differ; of answers, so many are slips of the hand.
THIN, SLIPS = 0.06, 0.01
#: Of photos, so many are blurred, and taken again.
SHAKEN = 0.05
#: Foam where there is little, as a share of what there is else.
LITTLE = 0.06
#: What the site's own people find to do: disputes that nobody ruled on.
LEAVE = 4


@dataclass(frozen=True)
class Sizes:
    """Inspections a day; answers a day at most, of which the last day has a few only, so that some inspections are held."""

    a_day: int = 9
    answers: int = 160
    answers_at_last: int = 16

    def cars(self, day: int) -> range:
        """Numbers of the cars that come on that day, from 1."""
        return range(1 + day * self.a_day, 1 + (day + 1) * self.a_day)


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
    if story < 0.45:  # foam, on one side at least
        shots = ["front", "rear", *dice.sample(["left", "right"], dice.randint(1, 2))]
        foamed = set(dice.sample(shots, dice.randint(1, len(shots))))
        shows = {shot: scenes.FOAM if shot in foamed else scenes.PLAIN for shot in shots}
    elif story < 0.7:  # the plate before, then from the seat
        shows = {"front": dice.choice((scenes.PLAIN, scenes.TUNNEL)), "interior": scenes.TUNNEL}
        if dice.random() < 0.5:
            shows |= {"rear": scenes.TUNNEL}
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
    """The inspection that the photo is of, and its shot, by the name that the photo has."""
    external_id, shot = item.name.split(" ")
    return wash(int(external_id.removeprefix("wash-"))), shot


def begin(*, by: User, members: Mapping[str, str], sizes: Sizes | None = None) -> Job | None:
    """Make the protocol and ask for its first day, once; later for the day that failed. None where the weeks are over.

    ``members``: name of an account -> role, of people who can sign in.
    """
    if Protocol.objects.filter(slug=SLUG).exists():
        return COURSE.go_on(by=by)
    return COURSE.begin(lambda: _create(by, members), by=by, sizes=asdict(sizes or Sizes()))


def project_of(protocol: Protocol) -> Project:
    """The one that is asked of each shot."""
    return Project.objects.filter(checks__shot__version__protocol=protocol).distinct().get()


def _create(by: User, members: Mapping[str, str]) -> Project:
    template = PROTOCOLS.called(TEMPLATE)
    assert template is not None
    protocol = create_from_template(template=template, by=by, slug=SLUG, name="Car wash (generated scenes)")
    project = project_of(protocol)
    update_settings(
        project=project,
        by=by,
        name="Car wash (generated scenes)",
        description=(
            "Everything here is made up: the demo drew these cars, simulated people answered, and the clock was set back. "
            f"In {THIN:.0%} of the photos with foam there is so little of it that people differ. What came of it, the "
            "model and every verdict, came about as in real work."
        ),
        gold_rate=0.0,
        audit_rate=0.1,
        boundary_after=40,
    )
    let_in(project, by=by, members=members)
    return project


def live_a_day(progress: Progress) -> dict[str, Any]:
    """The job of one day. Returns {day, inspections, answers}."""
    return COURSE.live_a_day(
        progress, lambda project, day, sizes, clock: Day(project, day, Sizes(**sizes), clock, progress).live()
    )


def arrive(protocol: Protocol, number: int, *, happened_at: datetime) -> bool:
    """The ``number``-th car is washed, if it was not before; return whether it came."""
    washed = wash(number)
    return record_inspection(
        protocol=protocol,
        by=protocol.created_by,
        external_id=washed.external_id,
        asset={"identifier": washed.car.plate, "type": "drawn car", "site": SITES[number % len(SITES)]},
        event="wash",
        happened_at=happened_at,
        site=SITES[number % len(SITES)],
        photographer=f"driver {number % 7 + 1}",
        photos=washed.photos(),
    ).created


def deliver(count: int) -> int:
    """So many more cars are washed now; none where the weeks are not over yet. Return how many came."""
    if not COURSE.is_over():
        return 0
    protocol = Protocol.objects.get(slug=SLUG)
    there = Inspection.objects.filter(protocol=protocol).count()
    return sum(
        arrive(protocol, number, happened_at=timezone.now()) for number in range(there + 1, there + 1 + count)
    )


class Day:
    """What happens on one day. What was done before the day was broken off is not done again."""

    def __init__(self, project: Project, day: int, sizes: Sizes, clock: Clock, progress: Progress) -> None:
        self.project, self.day, self.sizes, self.clock, self.progress = project, day, sizes, clock, progress
        self.protocol = Protocol.objects.get(slug=SLUG)
        self.people = crew(project, random.Random(f"{SEED} {day}"), clock.wait, OfScenes())

    @property
    def admin(self) -> User:
        return self.people.admin

    def live(self) -> dict[str, int]:
        came = self.cars()
        if self.day == TRAINED:
            self.train()
        answers = self.label()
        self.people.rule(leave=LEAVE if self.day == COURSE.days - 1 else 0)
        self.work_off()
        return {"inspections": came, "answers": answers}

    def cars(self) -> int:
        came = 0
        for number in self.sizes.cars(self.day):
            self.clock.wait(120)
            came += arrive(self.protocol, number, happened_at=self.clock.now() - timedelta(minutes=4))
            self.progress.report(self.day, COURSE.days)
        self.work_off()
        return came

    def label(self) -> int:
        """Each in turn a photo, until the day's answers are given or nobody finds one."""
        most = self.sizes.answers if self.day < COURSE.days - 1 else self.sizes.answers_at_last
        answers = 0
        while answers < most:
            before = answers
            answers += sum(self.people.answer(person) for person in self.people.labelers)
            self.progress.report(self.day, COURSE.days)
            if answers == before:
                break
        self.work_off()
        return answers

    def train(self) -> None:
        if not ModelVersion.objects.filter(project=self.project).exists():
            request_training(project=self.project, by=self.admin)
            self.work_off()
        version = ModelVersion.objects.get(project=self.project, number=1)
        if champion(self.project) != version:
            promote(model_version=version, by=self.admin, reason="It knows foam from a wet car")

    def work_off(self) -> None:
        work_off(self.project, self.progress, more=(LOOKING,))
