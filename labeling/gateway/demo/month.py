"""A month of work in the demo's second project, a day a job: simulated people, set-back dates, and the real services.

Nothing is written here that a service would not write: photos come in by intake, people claim and answer, reviewers rule,
versions are trained, compared and promoted, certificates are proven, and the audit's watch suspends one by itself. What is
made up is who answers (:mod:`labeling.gateway.demo.people`), when (:mod:`labeling.gateway.demo.clock`), and what happens to
the line (:mod:`labeling.gateway.demo.deliveries`): cables hang before a camera, and a lamp fades.

Its course does not hang on one lucky draw. The early photos are random, so what the plan hopes for is honest; it counts on
far more labels than the promise takes; and of cells behind the cables the machine is wrong nearly always. Only *defective*
is doubted by that, so what the machine decided to be functional stands to the end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from labeling.catalog import demo
from labeling.catalog.elpv import Cell
from labeling.catalog.models import IntakeKind, Item, Project
from labeling.catalog.services import create_project, start_intake
from labeling.frontier.models import CertificationRun
from labeling.frontier.services import in_force, set_policy
from labeling.gateway.demo import proof
from labeling.gateway.demo.clock import Clock
from labeling.gateway.demo.course import Course
from labeling.gateway.demo.crew import crew, let_in, work_off
from labeling.gateway.demo.deliveries import CHANGED, SEED, Sizes, deliveries, photo_of, usual
from labeling.jobs.models import Job
from labeling.jobs.progress import Progress
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.learning.services import promote, request_training
from labeling.monitors.services import monitor_when_due, set_thresholds
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import Gold
from labeling.truth.services import add_gold

SLUG = "cells-month"
COURSE = Course("month", days=30, seed=SEED)
#: Days on which an admin who has no certificate has more photos drawn.
WAITING_FOR_PROOF = (12, 13)
#: The waiting jobs are done after so many answers, as a worker that has other things to do comes round.
ANSWERS_BETWEEN_JOBS = 40


def begin(*, by: User, members: Mapping[str, str], sizes: Sizes | None = None) -> Job | None:
    """Make the project and ask for its first day, once; later for the day that failed. None where the month is over.

    ``members``: name of an account -> role, of people who can sign in.
    """
    if Project.objects.filter(slug=SLUG).exists():
        return COURSE.go_on(by=by)
    return COURSE.begin(lambda: _create(by, members), by=by, sizes=asdict(sizes or Sizes()))


def _create(by: User, members: Mapping[str, str]) -> Project:
    project = create_project(
        slug=SLUG,
        name="Solar cells, a simulated month",
        question="Is this cell defective?",
        classes=demo.CLASSES,
        by=by,
        description=(
            "A month of simulated work: people and dates are made up. Answers were drawn by the probabilities that the "
            "experts of the ELPV dataset gave the cells, and the clock was set back. What happens to the line was chosen: "
            "cables before a camera and a lamp that fades were drawn into photos, and these cells are easier than "
            "the whole dataset (on one in twelve the experts were not sure). "
            "All else came about as in real work. "
            "Photos: ELPV dataset, CC BY-NC-SA 4.0."
        ),
        gold_rate=0.04,
        audit_rate=0.1,
        boundary_after=80,
        sweep_allowed=True,
    )
    let_in(project, by=by, members=members)
    return project


def live_a_day(progress: Progress) -> dict[str, Any]:
    """The job of one day. Returns {day, answers, ruled}."""
    return COURSE.live_a_day(
        progress, lambda project, day, sizes, clock: Day(project, day, Sizes(**sizes), clock, progress).live()
    )


def deliver(project: Project, count: int) -> int:
    """Take some of the data set's cells in that the project has not seen yet; return how many."""
    names = Item.objects.filter(project=project).values_list("name", flat=True)
    there = {name.rsplit("-", 1)[-1] for name in names}
    cells = [cell for cell in usual() if cell.path.name not in there][:count]
    if cells:
        _take_in(project, cells, source="Line 2, today")
    return len(cells)


def _take_in(project: Project, cells: Sequence[Cell], *, source: str, lot: str = "") -> None:
    """A delivery, by a real intake."""
    start = f"{lot}-" if lot in CHANGED else ""
    files = [SimpleUploadedFile(start + cell.path.name, photo_of(cell, lot)) for cell in cells]
    start_intake(project=project, by=project.created_by, kind=IntakeKind.UPLOAD, source=source, files=files)


class Day:
    """What people and the admin do on one day. What was done before the day was broken off is not done again."""

    def __init__(self, project: Project, day: int, sizes: Sizes, clock: Clock, progress: Progress) -> None:
        self.project, self.day, self.sizes, self.clock, self.progress = project, day, sizes, clock, progress
        self.people = crew(project, random.Random(f"{SEED} {day}"), clock.wait, simulated=False)
        self.answers = 0
        self.began = clock.now()

    @property
    def admin(self) -> User:
        return self.people.admin

    def live(self) -> dict[str, int]:
        morning: dict[int, Callable[[], None]] = {
            0: self.set_up,
            1: lambda: self.draw(self.sizes.early),
            3: lambda: self.train(1, "The first model: its order is worth more than none"),
            5: lambda: self.train(2, "More labels of both classes"),
            6: self.roll_back,
            7: lambda: self.train(3, "With what was settled since"),
            8: self.ask_for_proof,
            15: self.change_the_camera,
            18: self.clean_up,
            24: lambda: self.take_in("Line 2, week 4", "usual"),
            28: lambda: self.take_in("Line 2, lamp of camera 1", "dim"),
        }
        if act := morning.get(self.day):
            act()
            self.work_off()
        self.prove_more()
        self.switch_on()
        self.label()
        ruled = self.people.rule(leave=8 if self.day >= COURSE.days - 12 else 0)
        self.work_off()
        self.look_again()
        monitor_when_due(project=self.project)
        self.work_off()
        return {"answers": self.answers, "ruled": ruled}

    # -- what people do ------------------------------------------------------------------------------------------

    def label(self) -> None:
        """Each in turn a photo, until the day's answers are given."""
        wanted = self._answers_today()
        while self.answers < wanted:
            before = self.answers
            for person in self.people.labelers:
                self.answers += self.people.answer(person)
            self.progress.report(self.day, COURSE.days)
            if self.answers // ANSWERS_BETWEEN_JOBS > before // ANSWERS_BETWEEN_JOBS:
                self.work_off()
            if self.answers == before:
                return

    def _answers_today(self) -> int:
        """More where random photos wait, but not so many that people take what the certificate is to be of."""
        if not CertificationRun.objects.filter(project=self.project).exists():
            return self.sizes.answers_at_first
        return max(self.sizes.answers, min(self.sizes.in_a_hurry, 2 * proof.waiting(self.project)))

    # -- what the admin does -------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Exemplars, gold and the first delivery, as in the fresh project."""
        if not self.project.guidelines.filter(number=2).exists():
            demo.add_exemplars(project=self.project, by=self.admin)
        if not Gold.objects.filter(project=self.project).exists():
            for item, key in demo.gold_items(project=self.project):
                add_gold(project=self.project, item=item, class_key=key, by=self.admin)
        self.take_in("Line 2", "first")
        set_thresholds(project=self.project, by=self.admin, reason="A small line", window=60)

    def take_in(self, source: str, lot: str) -> None:
        if not self.project.intake_batches.filter(source=source).exists():
            _take_in(self.project, deliveries(self.sizes)[lot], source=source, lot=lot)

    def train(self, number: int, reason: str = "") -> None:
        versions = ModelVersion.objects.filter(project=self.project)
        if not versions.filter(number=number).exists():
            request_training(project=self.project, by=self.admin)
            self.work_off()
        if reason:
            self._promote(versions.get(number=number), reason)

    def roll_back(self) -> None:
        self._promote(
            ModelVersion.objects.get(project=self.project, number=1),
            "Labelers found the new order odd: back until it was looked at",
        )

    def _promote(self, version: ModelVersion, reason: str) -> None:
        if champion(self.project) != version:
            promote(model_version=version, by=self.admin, reason=reason)

    def ask_for_proof(self) -> None:
        """A plan is written before the photos are drawn that shall prove it."""
        set_policy(
            project=self.project,
            by=self.admin,
            reason="Right on seven of ten at least; a tenth of it is audited",
            precision=0.7,
            planned_labels=self.sizes.planned,
            audit_share=0.1,
        )
        self.work_off()
        self.draw(self.sizes.sample)

    def change_the_camera(self) -> None:
        """Another camera is mounted. Nobody saw that cables hang before it; the audit does."""
        set_policy(
            project=self.project,
            by=self.admin,
            audit_share=0.9,
            reason="Another camera: for a while people see nine of ten",
        )
        self.take_in("Line 2, camera 3", "cabled")

    def clean_up(self) -> None:
        """As much is audited as before, and a version is trained that saw cables.

        It is not promoted: that would end what *functional*'s certificate still allows.
        """
        set_policy(
            project=self.project,
            by=self.admin,
            audit_share=0.1,
            reason="The cables before camera 3 are tied up",
        )
        self.take_in("Line 2, week 3", "more")
        self.work_off()
        self.train(4)

    def prove_more(self) -> None:
        """More random photos, where those that were drawn are settled and proved too little."""
        looked = CertificationRun.objects.filter(project=self.project).exists()
        if (
            self.day in WAITING_FOR_PROOF
            and looked
            and not proof.waiting(self.project)
            and len(in_force(self.project)) < 2
        ):
            with suppress(Refused):  # all are drawn
                self.draw(self.sizes.sample // 5)
            self.work_off()

    def look_again(self) -> None:
        """In the evening."""
        if proof.look_again(self.project, by=self.admin):
            self.work_off()

    def draw(self, count: int) -> None:
        """Once a day."""
        proof.draw(self.project, by=self.admin, count=count, since=self.began)

    def switch_on(self) -> None:
        """As soon as both classes are certified; after a while with one: what the machine decides can be drawn no more."""
        enough = 2 if self.day <= max(WAITING_FOR_PROOF) else 1
        if proof.switch_on(self.project, by=self.admin, certified=enough):
            self.work_off()

    # -- jobs ----------------------------------------------------------------------------------------------------

    def work_off(self) -> None:
        work_off(self.project, self.progress)
