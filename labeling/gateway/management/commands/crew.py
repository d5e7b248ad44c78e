from __future__ import annotations

import random
import signal
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connections

from labeling.catalog.models import Project
from labeling.gateway.demo import month, wash
from labeling.gateway.demo.cars import OfScenes
from labeling.gateway.demo.crew import SIMULATED, crew
from labeling.inspections.models import Protocol

#: Seconds between two deliveries, and photos and cars of each.
EVERY_S, PHOTOS, CARS = 60.0, 8, 2
#: Disputes that are left to whoever looks at the demo.
LEAVE = 5


class Command(BaseCommand):
    requires_system_checks = []
    help = "Let simulated people go on in the demo's second project and its car wash, beside `make demo`, until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            project = Project.objects.filter(slug=month.SLUG).first()
        except ProgrammingError:  # a database without tables: nothing was ever started here
            project = None
        if project is None or not month.COURSE.is_over():
            raise CommandError(
                "There is no month of work to go on with yet. Run `make demo`, and wait for it."
            )
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        crews = [crew(project, random.Random(), time.sleep)]
        if wash.COURSE.is_over():
            washed = wash.project_of(Protocol.objects.get(slug=wash.SLUG))
            crews.append(crew(washed, random.Random(), time.sleep, OfScenes()))
        names = " and ".join(f"“{each.project.name}”" for each in crews)
        self.stdout.write(f"{', '.join(SIMULATED)} go on in {names}, until Ctrl-C")
        delivery = time.monotonic()
        try:
            while True:
                answers = sum(people.answer(person) for people in crews for person in people.labelers)
                ruled = sum(people.rule(leave=LEAVE) for people in crews)
                self.stdout.write(f"{answers} answers, {ruled} rulings")
                if time.monotonic() >= delivery:
                    delivery = time.monotonic() + EVERY_S
                    self.stdout.write(
                        f"{month.deliver(project, PHOTOS)} new photos, {wash.deliver(CARS)} cars at the wash"
                    )
                if not answers:
                    time.sleep(2)
        except KeyboardInterrupt:
            self.stdout.write("The crew has gone home.")
        finally:
            connections.close_all()
