"""A project of the demo whose past is lived a day a job, by a clock that is set back, until it is the present."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.db import connection, transaction
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.gateway.demo.clock import Clock, set_back
from labeling.gateway.demo.crew import QUEUE
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import Progress
from labeling.jobs.services import all_to, enqueue, retry
from labeling.people.models import User


@dataclass(frozen=True)
class Course:
    """``kind``: of its jobs; ``days``: how many; ``seed``: by which lots fall."""

    kind: str
    days: int
    seed: int

    def begin(self, create: Callable[[], Project], *, by: User, sizes: dict[str, Any]) -> Job:
        """Make the project, on the morning of its first day, and ask for that day."""
        now = timezone.now()
        with transaction.atomic():
            with set_back(self._morning(now, 0)):
                project = create()
            return self._ask(project.pk, by, {"day": 0, "until": now.isoformat(), "sizes": sizes})

    def go_on(self, *, by: User) -> Job | None:
        """Ask again for the day that failed or was cancelled. None where all its days are there."""
        last = self.newest_day()
        if last is None or last.is_live:
            return last
        if last.state == JobState.SUCCEEDED:
            return None
        return (
            retry(job=last, by=by)
            if last.state == JobState.FAILED
            else self._ask(last.project_id, by, last.args)
        )

    def newest_day(self) -> Job | None:
        """The job of the day that the project is at."""
        return Job.objects.filter(kind=self.kind).order_by("-created_at").first()

    def is_over(self) -> bool:
        """Whether all its days are there."""
        last = self.newest_day()
        return last is not None and last.state == JobState.SUCCEEDED and last.args["day"] + 1 == self.days

    def live_a_day(
        self, progress: Progress, live: Callable[[Project, int, dict[str, Any], Clock], dict[str, Any]]
    ) -> dict[str, Any]:
        """The job of one day. At its end it asks for the next one's. Returns {day} and what ``live`` does.

        ``live``: of the project, the day, the sizes that it was begun with, and the clock of that day.
        """
        args = progress.args
        day = args["day"]
        project = Project.objects.get(pk=progress.job.project_id or 0)
        # Lots that nobody may foresee fall by the seed here, also those of the database: what is made twice is the same.
        with connection.cursor() as cursor:
            cursor.execute("SELECT setseed(%s)", [day / self.days])
        lots = random.Random(f"{self.seed} lots {day}")
        with (
            all_to(QUEUE),
            patch("labeling.catalog.random_keys._random", lots),
            patch("labeling.queue.entries._random", lots),
            patch("labeling.truth.answering._lot", random.Random(f"{self.seed} held {day}")),
            set_back(self._morning(datetime.fromisoformat(args["until"]), day)) as clock,
        ):
            told = live(project, day, args["sizes"], clock)
        if day + 1 < self.days:
            self._ask(project.pk, progress.job.requested_by, args | {"day": day + 1})
        return {"day": day, **told}

    def _ask(self, project_id: int | None, by: User | None, args: dict[str, Any]) -> Job:
        return enqueue(
            kind=self.kind,
            queue=QUEUE,
            project_id=project_id,
            args=args,
            requested_by=by,
            dedupe=f"{self.kind}:{project_id}:{args['day']}",
        )

    def _morning(self, until: datetime, day: int) -> datetime:
        """When that day's work begins, so that the last day ends at ``until``."""
        return until - timedelta(days=self.days - 1 - day, hours=8)
