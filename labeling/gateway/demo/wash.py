"""The demo's third group: a car wash for two weeks, with drawn cars, simulated people, set-back dates and the real services.

A protocol is made from its template, and its project with it. Each day some drivers send the photos of a wash, as a program
would by the API; simulated people answer, and a verdict follows each time what is known of an inspection changes. Nothing is
written here that a service would not write. What is made up is what the photos show (:mod:`labeling.gateway.demo.cars`), who
answers, and when.

People who answer whatever is held leave nothing to draw at random. So the wash also has photos of cars that came before the
protocol: no inspection waits for them, random ones of them prove what the version is worth, and from then on the machine
decides, and most inspections have their verdict without anybody.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from labeling.catalog.models import IntakeKind, Project
from labeling.catalog.services import start_intake, update_settings
from labeling.frontier.services import set_policy
from labeling.gateway.demo import proof
from labeling.gateway.demo.cars import EARLIER, SEED, THIN, OfScenes, wash
from labeling.gateway.demo.clock import Clock
from labeling.gateway.demo.course import Course
from labeling.gateway.demo.crew import crew, let_in, work_off
from labeling.inspections.evidence import Reader
from labeling.inspections.models import Inspection, Outcome, Protocol
from labeling.inspections.protocol_templates.creating import create_from_template
from labeling.inspections.protocol_templates.known import PROTOCOLS
from labeling.inspections.services import overrule, record_inspection
from labeling.inspections.wanting import KIND as LOOKING
from labeling.jobs.models import Job
from labeling.jobs.progress import Progress
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.learning.services import promote, request_training
from labeling.people.models import User

SLUG = "car-wash"
TEMPLATE = "car-wash-certification"
COURSE = Course("wash", days=14, seed=SEED)
#: Days on which the photos of earlier cars are taken in, and on which a model is trained and proof of it asked for.
TAKEN_IN, TRAINED = 2, 3
SITES = ("North yard", "Airport", "Harbour")
#: What is asked of the machine: to be right in so many.
PRECISION = 0.85
BEFORE = "Cars from before the protocol"
#: Days after which a reviewer turns down who showed nothing but a clean car.
PATIENCE = timedelta(days=2)
#: What the site's own people find to do: disputes that nobody ruled on.
LEAVE = 4


@dataclass(frozen=True)
class Sizes:
    """Inspections a day; cars of whom there are earlier photos; random photos that are drawn, and labels that their plan
    counts on; answers a day beside those to random photos, at most, and on the last day, so that some are held."""

    a_day: int = 9
    earlier: int = 150
    sample: int = 260
    planned: int = 180
    answers: int = 44
    answers_at_last: int = 16

    def cars(self, day: int) -> range:
        """Numbers of the cars that come on that day, from 1."""
        return range(1 + day * self.a_day, 1 + (day + 1) * self.a_day)


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
    """The job of one day. Returns {day, inspections, answers, turned_down}."""
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
        self.protocol, self.began = Protocol.objects.get(slug=SLUG), clock.now()
        self.people = crew(project, random.Random(f"{SEED} {day}"), clock.wait, OfScenes())

    @property
    def admin(self) -> User:
        return self.people.admin

    def live(self) -> dict[str, int]:
        if self.day == TAKEN_IN:
            self.take_in()
        if proof.switch_on(self.project, by=self.admin, certified=2 if self.day < COURSE.days // 2 else 1):
            self.work_off()
        came = self.cars()
        if self.day == TRAINED:
            self.train()
            self.ask_for_proof()
        answers = self.label()
        self.people.rule(leave=LEAVE if self.day == COURSE.days - 1 else 0)
        self.work_off()
        if proof.look_again(self.project, by=self.admin):
            self.work_off()
        return {"inspections": came, "answers": answers, "turned_down": self.turn_down()}

    def take_in(self) -> None:
        """By a real intake."""
        if self.project.intake_batches.filter(source=BEFORE).exists():
            return
        cars = [wash(EARLIER + number) for number in range(self.sizes.earlier)]
        files = [
            SimpleUploadedFile(f"{each.external_id} {shot}.jpg", each.photo(shot))
            for each in cars
            for shot in each.shows
        ]
        start_intake(project=self.project, by=self.admin, kind=IntakeKind.UPLOAD, source=BEFORE, files=files)
        self.work_off()

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
        most, answers = self._answers_today(), 0
        while answers < most:
            before = answers
            answers += sum(self.people.answer(person) for person in self.people.labelers)
            self.progress.report(self.day, COURSE.days)
            if answers == before:
                break
        self.work_off()
        return answers

    def _answers_today(self) -> int:
        """For what is held and what was drawn, and hardly more: of what people took of the pool nothing is proven."""
        if self.day == COURSE.days - 1:
            return self.sizes.answers_at_last
        return self.sizes.answers + 2 * proof.waiting(self.project)

    def train(self) -> None:
        if not ModelVersion.objects.filter(project=self.project).exists():
            request_training(project=self.project, by=self.admin)
            self.work_off()
        version = ModelVersion.objects.get(project=self.project, number=1)
        if champion(self.project) != version:
            promote(model_version=version, by=self.admin, reason="It knows foam from a wet car")
            self.work_off()

    def ask_for_proof(self) -> None:
        """A plan is written before the photos are drawn that shall prove it."""
        set_policy(
            project=self.project,
            by=self.admin,
            reason=f"Right in {PRECISION:.0%} at least; a tenth of it is audited",
            precision=PRECISION,
            planned_labels=self.sizes.planned,
            audit_share=0.1,
        )
        self.work_off()
        proof.draw(self.project, by=self.admin, count=self.sizes.sample, since=self.began)
        self.work_off()

    def turn_down(self) -> int:
        """A reviewer overrules what shows nothing but clean cars, once nothing else came for days; return how many."""
        since = self.clock.now() - PATIENCE
        held = Inspection.objects.filter(
            protocol=self.protocol, outcome=Outcome.HELD, verdict__by=None, submitted_at__lt=since
        )
        old = list(held)
        seen = Reader().read([each.pk for each in old])
        plain = [each for each in old if all(known.answer for known in seen[each.pk].known if known.item)]
        for each in plain:
            self.clock.wait(20)
            overrule(
                inspection=each,
                by=self.people.reviewers[0],
                outcome=Outcome.FAILED,
                reason="Two days, and no picture of the wash itself has come.",
            )
        return len(plain)

    def work_off(self) -> None:
        work_off(self.project, self.progress, more=(LOOKING,))
